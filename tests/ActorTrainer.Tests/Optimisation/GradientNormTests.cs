using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Optimisation;

public class GradientNormTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(100_001)]
    public void The_squared_norm_is_the_sum_of_squares(int length)
    {
        using var scope = NewDisposeScope();
        var gradient = TestParameters.Random([length], length);
        var expected = gradient.to_type(ScalarType.Float64).square().sum().item<double>();
        Assert.Equal(1, GradientNorm.Squared(With(gradient)) / expected, 12);
        Assert.Equal(1, GradientNorm.Squared(With(gradient.to_type(ScalarType.Float64))) / expected, 12);
    }

    [Fact]
    public void A_transposed_gradient_counts_every_element()
    {
        using var scope = NewDisposeScope();
        var gradient = arange(12, ScalarType.Float32).reshape(3, 4).t();
        Assert.Equal(506, GradientNorm.Squared(With(gradient)));
    }

    [Fact]
    public void Gradients_whose_squares_overflow_a_float_still_have_a_norm()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(2e30, Math.Sqrt(GradientNorm.Squared(With(full(4, 1e30f)))), 1e24);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_gradient_that_is_not_finite_shows_in_the_norm(float bad)
    {
        using var scope = NewDisposeScope();
        var gradient = ones(1000);
        gradient[999] = bad;
        Assert.False(double.IsFinite(GradientNorm.Total([1, GradientNorm.Squared(With(gradient))])));
    }

    [Fact]
    public void No_gradient_counts_as_zero()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0, GradientNorm.Squared(new NamedParameter("w", ones(3, requires_grad: true), true)));
    }

    [Fact]
    public void The_total_is_the_root_of_the_sum() => Assert.Equal(5, GradientNorm.Total([9, 16]));

    [Theory]
    [InlineData(0.25, 0.5, 1)]
    [InlineData(1, 0.5, 0.5 / 1.000001)]
    [InlineData(1e9, 0, 1)]
    [InlineData(0, 0.5, 1)]
    [InlineData(double.PositiveInfinity, 0.5, 0)]
    [InlineData(double.NaN, 0.5, double.NaN)]
    public void The_clip_factor_brings_the_norm_down_to_the_clip(double norm, double clip, double expected) =>
        Assert.Equal(expected, GradientNorm.ClipFactor(norm, clip));

    [Fact]
    public void A_negative_clip_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => GradientNorm.ClipFactor(1, -1));

    private static NamedParameter With(Tensor gradient)
    {
        var value = zeros_like(gradient).requires_grad_(true);
        value.grad = gradient;
        return new NamedParameter("w", value, true);
    }
}
