using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Common;
using SkiaSharp;
using Xunit;

namespace ActorTrainer.Tests.Reports;

public class LossCurveTests
{
    private static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(500, 10)]
    [InlineData(20_000, 100)]
    public void A_curve_is_a_png_that_shows_as_much_as_there_is(int steps, int evaluations)
    {
        var path = Path.Combine(Samples.Folder(), "loss.png");
        LossCurve.SavePng(path, Steps(steps), Evaluations(steps, evaluations), "first");
        var bytes = File.ReadAllBytes(path);
        Assert.Equal(Signature, bytes[..8]);
        using var picture = SKBitmap.Decode(bytes);
        Assert.Equal((1200, 675), (picture.Width, picture.Height));
        Assert.True(Count(picture, c => c.Red < 100 && c.Green < 100 && c.Blue < 110) > 500, "axes and text are missing");
        var (blue, red) = (Count(picture, c => c.Blue > c.Red + 60), Count(picture, c => c.Red > c.Blue + 60));
        Assert.Equal(steps > 1, blue > 1000);
        Assert.Equal(evaluations > 0, red > 40);
    }

    [Fact]
    public void Losses_that_are_not_finite_are_left_out()
    {
        var path = Path.Combine(Samples.Folder(), "loss.png");
        var steps = Steps(100).Select(s => s.Step % 10 == 0 ? s with { Loss = s.Step % 20 == 0 ? double.NaN : double.PositiveInfinity } : s).ToList();
        LossCurve.SavePng(path, steps, [Samples.Evaluation(50, double.NaN) with { UnigramEntropy = double.NaN }], "with gaps");
        using var picture = SKBitmap.Decode(path);
        Assert.True(Count(picture, c => c.Blue > c.Red + 60) > 1000);
        Assert.True(Count(picture, c => c.Red > c.Blue + 60) < 40);
    }

    internal static List<StepMetrics> Steps(int count)
    {
        var noise = CounterRandom.Of(1, RandomPurpose.SampleText);
        return [.. Enumerable.Range(1, count).Select(s => Samples.Step(s, 2.4 + 8 * Math.Exp(-5.0 * s / count) + 0.5 * (noise.NextDouble() - 0.5)))];
    }

    internal static List<EvaluationMetrics> Evaluations(int steps, int count) =>
        [.. Enumerable.Range(1, count).Select(i => Samples.Evaluation(Math.Max(1, (long)steps * i / count), 2.5 + 8 * Math.Exp(-5.0 * i / count)))];

    private static int Count(SKBitmap picture, Func<SKColor, bool> wanted) => picture.Pixels.Count(wanted);
}
