using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Ranges;
using ActorTrainer.Tests.Bert;
using ActorTrainer.Tests.Optimisation;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Ranges;

public class PolynomialOptimiserTests
{
    private const double LearningRate = 1e-2;
    private static readonly AdamWOptions Options = new() { Eps = 8e-3, EpsInsideRoot = true, Beta2 = 0.999, WeightDecay = 0.01 };

    [Fact]
    public void Steps_by_a_calibrated_polynomial_are_the_exact_ones_within_its_error()
    {
        using var scope = NewDisposeScope();
        var recorder = new RangeRecorder();
        var exact = Run(optimiser => optimiser.RootObserver = x => recorder.Observe(RangeRecorder.OptimiserSite("head"), x));
        var calibration = Calibration.Of(recorder.Statistics);
        var functions = new PolynomialFunctions(calibration);
        var polynomial = Run(optimiser => optimiser.InverseRoot = x => functions.Apply(RangeRecorder.OptimiserSite("head"), x));

        var fit = Assert.Single(calibration.Sites).Fit;
        for (var i = 0; i < exact.Length; i++)
        {
            // |m̂|/√(v̂+ε) stays far below 10 here; the rest is float32.
            Assert.Equal(exact[i], polynomial[i], Steps * LearningRate * 10 * fit.MaxRelativeError + 2e-6);
        }

        var outside = functions.Outside[RangeRecorder.OptimiserSite("head")];
        Assert.Equal((0, (long)Steps * exact.Length), (outside.Outside, outside.Count));
    }

    [Fact]
    public void The_update_is_the_moment_times_what_stands_in_for_the_root()
    {
        using var scope = NewDisposeScope();
        var value = tensor(new[] { 0.5 }, requires_grad: true);
        using var optimiser = new AdamW([new NamedParameter("w", value, true)], Options) { InverseRoot = x => 3 - x };
        double p = 0.5, m = 0, v = 0;
        for (var t = 1; t <= 5; t++)
        {
            var g = Math.Sin(t);
            value.grad = tensor(new[] { g });
            optimiser.Step(LearningRate);
            (m, v) = (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g);
            p -= LearningRate * 0.01 * p;
            p -= LearningRate * (m / (1 - Math.Pow(0.9, t))) * (3 - (v / (1 - Math.Pow(0.999, t)) + 8e-3));
            Assert.Equal(p, value.item<double>(), 12);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_observer_sees_every_root_input_and_changes_no_bit(bool epsInsideRoot)
    {
        using var scope = NewDisposeScope();
        var options = Options with { EpsInsideRoot = epsInsideRoot };
        var recorder = new RangeRecorder();
        var plain = Run(_ => { }, options);
        var seen = Run(optimiser => optimiser.RootObserver = x => recorder.Observe(RangeRecorder.OptimiserSite("head"), x), options);

        Assert.Equal(plain, seen);
        var statistics = recorder.Statistics[RangeRecorder.OptimiserSite("head")];
        Assert.Equal((long)Steps * plain.Length, statistics.Count);
        Assert.InRange(statistics.Min, 8e-3 * 0.999999, 8.001e-3);
    }

    [Fact]
    public void A_stand_in_needs_eps_inside_the_root()
    {
        using var scope = NewDisposeScope();
        var parameters = TestParameters.Make(3);
        using var optimiser = new AdamW(parameters, Options with { EpsInsideRoot = false });
        Assert.Contains("eps_inside_root", Assert.Throws<InvalidOperationException>(() => optimiser.InverseRoot = x => x).Message, StringComparison.Ordinal);
    }

    private const int Steps = 8;

    private static float[] Run(Action<AdamW> prepare, AdamWOptions? options = null)
    {
        using var scope = NewDisposeScope();
        var parameters = TestParameters.Make(3);
        using var optimiser = new AdamW(parameters, options ?? Options);
        prepare(optimiser);
        for (var step = 1; step <= Steps; step++)
        {
            foreach (var (parameter, i) in parameters.Select((parameter, i) => (parameter, i)))
            {
                parameter.Value.grad = TestParameters.Random(parameter.Value.shape, 1_000 * step + i);
            }

            optimiser.Step(LearningRate);
        }

        return [.. parameters.SelectMany(parameter => Tiny.Floats(parameter.Value))];
    }
}
