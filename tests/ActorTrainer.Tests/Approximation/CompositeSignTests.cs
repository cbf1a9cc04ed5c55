using ActorTrainer.He.Approximation;
using Xunit;

namespace ActorTrainer.Tests.Approximation;

public class CompositeSignTests
{
    private static readonly int[] Degrees = [15, 15, 27];

    [Fact]
    public void Every_part_brings_all_inputs_nearer_to_the_sign()
    {
        var sign = CompositeSign.Fit(Degrees, 1.0 / 512);
        Assert.Equal(Degrees, sign.Parts.Select(p => p.Degree));
        Assert.Equal(13, sign.Depth);
        var grid = Enumerable.Range(0, 20_001).Select(i => (1.0 / 512) + (i * (1 - (1.0 / 512)) / 20_000)).ToArray();
        var worst = 1.0;
        foreach (var part in sign.Parts)
        {
            grid = [.. grid.Select(part.Evaluate)];
            var now = grid.Max(y => Math.Abs(1 - y));
            Assert.True(now < worst, $"{now} after {worst}");
            worst = now;
        }

        Assert.True(worst < 1e-4);
        Assert.InRange(worst, 0.98 * sign.Error, sign.Error * (1 + 1e-9));
    }

    [Fact]
    public void Between_the_intervals_it_rises_through_zero_and_never_leaves_its_bound()
    {
        var sign = CompositeSign.Fit(Degrees, 1.0 / 256);
        Assert.Equal(0, sign.Evaluate(0), 1e-15);
        var before = 0.0;
        for (var i = 1; i <= 1000; i++)
        {
            var value = sign.Evaluate(i / 256_000.0);
            Assert.True(value > before || value > 1 - sign.Error, $"{value} after {before} at {i}");
            Assert.Equal(-value, sign.Evaluate(-i / 256_000.0), 1e-12);
            before = value;
        }

        for (var i = -50_000; i <= 50_000; i++)
        {
            Assert.InRange(Math.Abs(sign.Evaluate(i / 50_000.0)), 0, 1 + sign.Overshoot + 1e-12);
        }

        Assert.InRange(sign.Overshoot, 0, sign.Error * 1.0001);
    }

    [Fact]
    public void The_composite_can_amplify_no_faster_than_Markov_allows()
    {
        // |p′(0)| ≤ degree · max|p| for every part: the reason why 15·15·27 cannot tell signs at 2^−13, and does at 2^−8.
        var sign = CompositeSign.Fit(Degrees, 1.0 / 8192);
        Assert.True(sign.Evaluate(1e-9) / 1e-9 < 15 * 15 * 27 * 2);
        Assert.True(sign.Error > 0.1);
        Assert.True(CompositeSign.Fit(Degrees, 1.0 / 256).Error < 1e-7);
    }

    [Fact]
    public void Outside_the_domain_it_first_tells_the_wrong_sign_and_then_explodes()
    {
        var sign = CompositeSign.Fit(Degrees, 1.0 / 512);
        Assert.InRange(sign.Evaluate(1), 0.99, 1.01);
        Assert.InRange(sign.Evaluate(1.001), -1.01, -0.99);
        Assert.InRange(sign.Relu(50.05, 50), -0.1, 0.1);
        Assert.True(Math.Abs(sign.Evaluate(1.01)) > 1e100);
        Assert.True(Math.Abs(sign.Relu(50.5, 50)) > 1e100);
        Assert.False(double.IsFinite(sign.Relu(51, 50)));
    }

    [Fact]
    public void A_margin_leaves_room_for_noise_between_the_parts()
    {
        const double Noise = 1e-4;
        var random = new Random(3);
        double Noisy(CompositeSign sign, double x)
        {
            foreach (var part in sign.Parts)
            {
                x = part.Evaluate(x) + (((2 * random.NextDouble()) - 1) * Noise);
            }

            return x;
        }

        var sign = CompositeSign.Fit(Degrees, 1.0 / 256, margin: Noise);
        for (var x = 1.0 / 256; x <= 1; x += 1e-4)
        {
            Assert.InRange(Noisy(sign, x), 1 - sign.Error - (1.1 * Noise), 1 + sign.Error + (1.1 * Noise));
        }
    }

    [Fact]
    public void The_epsilon_chosen_for_relu_is_better_than_others()
    {
        double Worst(CompositeSign sign) => ApproximationError.Measure(x => sign.Relu(x, 1), x => Math.Max(x, 0), -1, 1, 20_000).Absolute;
        var best = CompositeSign.FitForRelu(Degrees);
        Assert.InRange(Worst(best), 1 / 10_000.0, 1 / 8192.0);
        Assert.True(Worst(best) < Worst(CompositeSign.Fit(Degrees, best.Epsilon * 1.1)));
        Assert.True(Worst(best) < Worst(CompositeSign.Fit(Degrees, best.Epsilon / 1.1)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void An_epsilon_outside_of_zero_to_one_is_refused(double epsilon)
    {
        Assert.Throws<ArgumentException>(() => CompositeSign.Fit(Degrees, epsilon));
    }

    [Fact]
    public void Degrees_that_are_even_or_missing_and_hopeless_requests_are_refused()
    {
        Assert.Throws<ArgumentException>(() => CompositeSign.Fit([15, 14], 0.1));
        Assert.Throws<ArgumentException>(() => CompositeSign.Fit([], 0.1));
        Assert.Throws<ArgumentException>(() => CompositeSign.FitForRelu([2]));
        Assert.Throws<ArgumentException>(() => CompositeSign.Fit(Degrees, 0.1, margin: 0.2));
        Assert.Throws<FitException>(() => CompositeSign.Fit(Degrees, 0.1));
    }
}
