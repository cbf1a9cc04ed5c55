using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Ranges;
using ActorTrainer.Tests.Bert;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Ranges;

public class PolynomialFunctionsTests
{
    private static readonly FineTuneShape Shape = new() { PoolerRank = 4, PoolerWidth = 6 };

    [Fact]
    public void A_calibrated_model_of_polynomials_has_the_logits_and_gradients_of_the_exact_one()
    {
        using var scope = NewDisposeScope();
        using var model = Model();
        var functions = new PolynomialFunctions(Calibrated(model));

        var (exact, exactGradients) = LogitsAndGradients(model, Tiny.Context);
        var (polynomial, gradients) = LogitsAndGradients(model, Tiny.Context with { Functions = functions });

        Assert.All(polynomial.Zip(exact), pair => Assert.Equal(pair.Item2, pair.Item1, 0.02));
        // In so small a model single gates near zero matter; all gradients together point the same way.
        var (a, b) = (gradients.Values.SelectMany(g => g).ToList(), exactGradients.Values.SelectMany(g => g).ToList());
        var cosine = a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(y => y * y));
        Assert.InRange(cosine, 0.995, 1);

        // Two norms, gate and attention of each layer, the last norm, the pooler, and the loss's two.
        Assert.Equal(2 * 4 + 4, functions.Outside.Count);
        Assert.All(functions.Outside.Values, site => Assert.Equal(0, site.Outside));
    }

    [Fact]
    public void A_probe_changes_no_bit()
    {
        using var scope = NewDisposeScope();
        using var model = Model();
        var (plain, gradients) = LogitsAndGradients(model, Tiny.Context);
        var (probed, probedGradients) = LogitsAndGradients(model, Tiny.Context with { Probe = new RangeRecorder() });

        Assert.Equal(plain, probed);
        Assert.All(gradients, pair => Assert.Equal(pair.Value, probedGradients[pair.Key]));
    }

    [Theory]
    [InlineData(PointFunction.Tanh, 0.7)]
    [InlineData(PointFunction.Relu, 0.7)]
    [InlineData(PointFunction.Relu, -0.6)]
    [InlineData(PointFunction.KernelExp, -1.3)]
    [InlineData(PointFunction.NormInverseRoot, 0.4)]
    public void Gradients_are_those_of_encrypted_training(PointFunction function, double at)
    {
        using var scope = NewDisposeScope();
        var site = new FunctionSite("layers.0", "here", function);
        var seen = Statistics(function == PointFunction.KernelExp ? [-3, -0.1] : function == PointFunction.NormInverseRoot ? [0.1, 1] : [-1, 1]);
        var calibration = Calibration.Of(new Dictionary<FunctionSite, RangeStatistics> { [site] = seen });
        var x = tensor(new[] { at }, ScalarType.Float64).requires_grad_();

        var y = new PolynomialFunctions(calibration).Apply(site, x);
        y.sum().backward();

        var (value, slope) = (Tiny.Doubles(y)[0], Tiny.Doubles(x.grad!)[0]);
        var fit = calibration.Sites[0].Fit;
        Assert.Equal(fit.Evaluate(at), value, 1e-12);
        Assert.Equal(fit.Exact(at), value, fit.MaxError + 1e-12);
        Assert.Equal(
            function switch
            {
                PointFunction.Tanh => 1 - value * value,
                PointFunction.Relu => value / at,
                PointFunction.KernelExp => value,
                _ => -0.5 * value * value * value,
            },
            slope, 1e-10);
    }

    [Fact]
    public void Inputs_outside_of_a_domain_are_counted_and_a_site_without_calibration_is_refused()
    {
        using var scope = NewDisposeScope();
        var site = new FunctionSite("head", "pooler", PointFunction.Tanh);
        var calibration = Calibration.Of(new Dictionary<FunctionSite, RangeStatistics> { [site] = Statistics([-1, 1]) });
        var functions = new PolynomialFunctions(calibration);
        functions.Apply(site, tensor(new[] { 0.0, 1.9, 2.1, -6.0 }, ScalarType.Float64));

        var outside = functions.Outside[site];
        Assert.Equal((2, 4), (outside.Outside, outside.Count));
        Assert.Equal(1, outside.Worst, 1e-9);
        Assert.Contains("layers.7.gate", Assert.Throws<RefusedException>(
            () => functions.Apply(new FunctionSite("layers.7", "gate", PointFunction.Relu), ones(1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Statistics_are_those_of_all_inputs_however_they_are_divided()
    {
        using var scope = NewDisposeScope();
        var site = new FunctionSite("head", "pooler", PointFunction.Tanh);
        var values = Tiny.Normal(5, 4, 7);
        var (whole, parts) = (new RangeRecorder(), new RangeRecorder());
        whole.Observe(site, values);
        foreach (var row in values.unbind())
        {
            parts.Observe(site, row);
        }

        var (a, b, all) = (whole.Statistics[site], parts.Statistics[site], Tiny.Doubles(values));
        Assert.Equal((all.Length, all.Min(), all.Max()), (a.Count, a.Min, a.Max));
        Assert.Equal((a.Count, a.Min, a.Max), (b.Count, b.Min, b.Max));
        Assert.Equal(all.Average(), b.Mean, 1e-12);
        Assert.Equal(Math.Sqrt(all.Average(x => (x - all.Average()) * (x - all.Average()))), b.Deviation, 1e-12);
    }

    [Fact]
    public void A_calibration_file_keeps_every_number_and_a_foreign_file_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var model = Model();
        var calibration = Calibrated(model);
        var path = Path.Combine(folder.Path, Calibration.FileName);
        calibration.Save(path);

        Assert.Equal(calibration.Sites, Calibration.Load(path).Sites);
        Assert.All(calibration.Sites, site => Assert.True(site.Fit.Low <= site.Statistics.Min && site.Fit.High >= site.Statistics.Max, $"{site.Site}"));
        File.WriteAllText(path, "{\"version\":1}");
        Assert.Throws<RefusedException>(() => Calibration.Load(path));
        Assert.Contains("eval.calibrate_every", Assert.Throws<RefusedException>(() => Calibration.Load(path + ".none")).Message, StringComparison.Ordinal);
    }

    private static RangeStatistics Statistics(double[] values) => new()
    {
        Count = values.Length,
        Min = values.Min(),
        Max = values.Max(),
        Sum = values.Sum(),
        SumOfSquares = values.Sum(value => value * value),
    };

    private static FineTunedBert Model()
    {
        var arch = Tiny.Config(AttentionKind.GaussianKernel, GateActivation.Relu, fused: false);
        return new FineTunedBert([.. Enumerable.Range(0, UnitFactory.Count(arch)).Select(index => UnitFactory.Create(arch, index, seed: 8, ScalarType.Float64, fineTune: Shape))]);
    }

    private static Calibration Calibrated(FineTunedBert model)
    {
        var recorder = new RangeRecorder();
        LogitsAndGradients(model, Tiny.Context with { Probe = recorder });
        return Calibration.Of(recorder.Statistics);
    }

    private static (double[] Logits, Dictionary<string, double[]> Gradients) LogitsAndGradients(FineTunedBert model, ForwardContext context)
    {
        using var scope = NewDisposeScope();
        var parameters = model.Units.SelectMany(unit => unit.Parameters).ToList();
        parameters.ForEach(parameter => parameter.Value.grad = null);
        var hidden = model.Encode(Tiny.Ids(), Tiny.Mask(), context);
        var logits = Tiny.Doubles(model.Head.Logits(hidden, context));
        model.Head.Loss(hidden, [tensor(new[] { 1L, 0L })], 0.5, context).backward();
        return (logits, parameters.ToDictionary(
            parameter => parameter.Name, parameter => parameter.Value.grad is { } gradient ? Tiny.Doubles(gradient) : new double[parameter.Value.numel()]));
    }
}
