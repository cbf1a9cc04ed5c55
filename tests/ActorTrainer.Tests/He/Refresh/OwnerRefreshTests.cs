using System.Numerics;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using Xunit;

namespace ActorTrainer.Tests.He.Refresh;

public sealed class OwnerRefreshTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public void A_refreshed_ciphertext_has_its_slots_at_the_canonical_scale_of_a_high_level(int from)
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var x = he.Random(1);
        using var low = he.Encrypt(x, from);
        IReadOnlyList<Complex>? seen = null;

        using var high = new OwnerRefresh(he.Context, he.Secret, he.Encryptor).Refresh(low, 12, slots => seen = slots);
        using var square = he.Evaluator.Square(high);
        using var result = he.Evaluator.Rescale(square);

        Assert.Equal(12, high.Level);
        Assert.True(high.Scale.Matches(he.Parameters.ScaleAt(12)));
        Assert.InRange(he.Error(high, x), 0, 4 * high.EstimatedError);
        Assert.InRange(high.EstimatedError, low.EstimatedError, 1.5 * low.EstimatedError);
        Assert.InRange(he.Error(result, x.Select(v => v * v)), 0, 4 * result.EstimatedError);
        Assert.All(seen!.Zip(x), pair => Assert.InRange((pair.Item1 - pair.Item2).Magnitude, 0, 1e-6));
    }

    [Fact]
    public void Two_refreshes_of_one_ciphertext_are_different_encryptions_of_the_same_slots()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        using var low = he.Encrypt(he.Random(1), 1);
        var owner = new OwnerRefresh(he.Context, he.Secret, he.Encryptor);

        using var a = owner.Refresh(low, 8);
        using var b = owner.Refresh(low, 8);

        using var difference = he.Evaluator.Subtract(a, b);
        Assert.NotEqual(0, he.Decrypt(difference)[0].Magnitude);
        Assert.InRange(he.Error(difference, new Complex[he.Parameters.Slots]), 0, 4 * difference.EstimatedError);
    }

    [Fact]
    public void Values_far_out_of_range_are_answered_too()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        using var a = he.Encrypt(he.Random(1), 3);
        using var huge = he.Evaluator.Multiply(a, 1L << 60);

        using var answered = new OwnerRefresh(he.Context, he.Secret, he.Encryptor).Refresh(huge, 10);

        Assert.Equal((10, 2), (answered.Level, answered.Size));
    }
}
