using ActorTrainer.He.Bootstrapping;
using Xunit;

namespace ActorTrainer.Tests.He.Bootstrapping;

[Collection(BootstrapTests.Name)]
public sealed class ModularReductionTests(BootstrapFixture fixture)
{
    /// <summary>Distances are fractions of powers of two, so that I + δ is exact. Errors are relative to the largest distance, 1/R: a few bits are left for the largest I, which hardly ever comes.</summary>
    [Theory]
    [InlineData(16, 128, 30, 3, 3, 10, 24, 17)]
    [InlineData(16, 64, 30, 3, 5, 11, 27, 18)]
    [InlineData(12, 128, 30, 3, 3, 10, 24, 23)]
    [InlineData(16, 512, 30, 3, 1, 9, 15, 14)]
    [InlineData(16, 128, 38, 3, 3, 11, 24, 24)]
    public void The_distance_to_the_next_whole_number_comes_out_for_every_one_in_bounds(int bound, int ratio, int degree, int doublings, int arcsine, int depth, double usual, double worst)
    {
        var reduction = new ModularReduction(bound, ratio, degree, doublings, arcsine);
        for (var whole = -bound; whole <= bound; whole++)
        {
            for (var k = -64; k <= 64; k++)
            {
                var distance = k / 64.0 / ratio;
                var bits = -Math.Log2(Math.Abs(reduction.At(whole + distance) - distance) * ratio);
                Assert.True(bits >= (Math.Abs(whole) <= 5 ? usual : worst), $"{bits:F1} bits at {whole} + {distance}");
            }
        }

        Assert.Equal(depth, reduction.Depth);
    }

    [Fact]
    public void Beyond_its_bounds_it_is_wrong()
    {
        var reduction = new ModularReduction(3, 128, 10, 3, 3);

        Assert.True(Math.Abs(reduction.At(3 + (0.5 / 128)) - (0.5 / 128)) * 128 < 1e-4);
        Assert.True(Math.Abs(reduction.At(8 + (0.5 / 128)) - (0.5 / 128)) * 128 > 1);
    }

    [Fact]
    public void The_engine_computes_the_same_on_ciphertexts()
    {
        var engine = fixture.Engine;
        var (reduction, random) = (engine.Bootstrapper.Reduction, new Random(1));
        var level = engine.Parameters.After(engine.Parameters.MaxLevel, engine.Bootstrapper.Shape.ToSlots.Count);
        double[] distances = [.. Enumerable.Range(0, engine.Parameters.Slots).Select(_ => ((2 * random.NextDouble()) - 1) / reduction.Ratio)];
        double[] inputs = [.. distances.Select((d, i) => ((i % 13) - 6 + d) / reduction.Range)];
        using var x = engine.Encrypt(inputs, level);

        using var y = reduction.Evaluate(engine.Evaluator, x, reduction.Ratio);

        double[] expected = [.. distances.Select(d => d * reduction.Ratio)];
        Assert.True(engine.Bits(y, expected) >= 22, $"{engine.Bits(y, expected):F1} bits");
        Assert.Equal(engine.Bootstrapper.OutputLevel, y.Level);
        Assert.True(y.Scale.Matches(engine.Parameters.ScaleAt(y.Level)));
    }

    [Theory]
    [InlineData(0, 128, 30, 3, 3)]
    [InlineData(16, 2, 30, 3, 3)]
    [InlineData(16, 128, 31, 3, 3)]
    [InlineData(16, 128, 30, 9, 3)]
    [InlineData(16, 128, 30, 3, 4)]
    public void Numbers_out_of_range_are_refused(int bound, double ratio, int degree, int doublings, int arcsine) =>
        Assert.Contains("Expected K ≥ 1, R ≥ 4", Assert.Throws<ArgumentException>(() => new ModularReduction(bound, ratio, degree, doublings, arcsine)).Message);
}
