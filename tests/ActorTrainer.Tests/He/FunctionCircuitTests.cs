using System.Numerics;
using ActorTrainer.He.Approximation;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class FunctionCircuitTests
{
    private static readonly CkksParameters Toy = new(ParameterSets.ToyL15);

    /// <summary>
    /// The noise is what the twin with modelled noise has, within two bits, and below the estimate, which is for slots at their bounds. What is left to
    /// the true function is the error of the fit, absolute or relative to the truth. Levels are counted from x, the map included.
    /// </summary>
    [Theory]
    [InlineData("tanh", 7)]
    [InlineData("sign", 13)]
    [InlineData("relu", 15)]
    [InlineData("inverse root", 10)]
    [InlineData("inverse root of degree 127", 14)]
    [InlineData("reciprocal", 7)]
    [InlineData("reciprocal in three steps", 9)]
    [InlineData("exp", 8)]
    [InlineData("power exp", 9)]
    public void Ciphertexts_hold_the_function_to_the_fit_and_the_estimated_noise(string name, int levels)
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var test = Case(name);
        var x = Inputs(test, he.Parameters.Slots);
        using var input = he.Encrypt([.. x.Select(v => new Complex(v, 0))]);

        using var result = test.Circuit.Evaluate(he.Evaluator, input);

        Assert.Equal(levels, test.Circuit.Depth);
        Assert.Equal(he.Parameters.MaxLevel - levels, result.Level);
        Assert.True(result.Scale.Matches(he.Parameters.ScaleAt(result.Level)));
        var clear = OnTwin(test, x, null);
        var (error, modelled) = (Deviation(he.Decrypt(result), clear), Deviation(OnTwin(test, x, new Random(5)), clear));
        Assert.InRange(Math.Log2(error / modelled), -2, 2);
        Assert.InRange(error, result.EstimatedError / test.Caution, 2 * result.EstimatedError);
        Assert.All(he.Decrypt(result).Zip(x), pair => Assert.InRange((pair.Item1 - test.Exact(pair.Item2)).Magnitude, 0, test.FitError(pair.Item2) + test.Noise));
        Assert.All(he.Decrypt(result), v => Assert.InRange(v.Magnitude, 0, result.Magnitude * 1.01));
    }

    /// <summary>What is counted: relinearisations, products, and plain products with constants of Newton, Goldschmidt and squaring beside the polynomial.</summary>
    [Theory]
    [InlineData("sign", 7 + 7 + 8, 8 + 8 + 11)]
    [InlineData("relu", 7 + 7 + 8 + 1, 8 + 8 + 11 + 1)]
    [InlineData("inverse root", 10 + 6, 13 + 6)]
    [InlineData("inverse root of degree 127", 18 + 9, 28 + 9)]
    [InlineData("reciprocal", 4 + 4, 5 + 4)]
    [InlineData("reciprocal in three steps", 7 + 6, 8 + 6)]
    [InlineData("exp", 7 + 3, 8 + 3)]
    [InlineData("power exp", 8, 8)]
    public void A_circuit_takes_a_known_number_of_products(string name, int relinearisations, int products)
    {
        var plan = new PlanBackend(Toy);
        var evaluator = new Evaluator(plan);

        Case(name).Circuit.Evaluate(evaluator, plan.Encrypt(Toy.MaxLevel));

        Assert.Equal((relinearisations, products), (evaluator.Ledger.Count(Operation.Relinearise), evaluator.Ledger.Count(Operation.Multiply)));
        Assert.Equal([new KeyRequest(KeyRequest.Relinearisation, evaluator.Ledger.Keys.Single().Level)], evaluator.Ledger.Keys);
    }

    [Theory]
    [InlineData("tanh")]
    [InlineData("relu")]
    [InlineData("inverse root")]
    [InlineData("reciprocal in three steps")]
    [InlineData("exp")]
    public void Plan_twin_and_engine_keep_the_same_ledger_levels_scales_and_noise(string name)
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var (twin, plan, test) = (new TwinBackend(he.Parameters), new PlanBackend(he.Parameters), Case(name));
        var x = Inputs(test, he.Parameters.Slots);
        var runs = new (Evaluator Evaluator, Ciphertext Input)[]
        {
            (he.Evaluator, he.Encrypt([.. x.Select(v => new Complex(v, 0))])),
            (new Evaluator(twin), twin.Encrypt(new PlainVector(x), he.Parameters.MaxLevel)),
            (new Evaluator(plan), plan.Encrypt(he.Parameters.MaxLevel)),
        };

        var results = runs.Select(run => test.Circuit.Evaluate(run.Evaluator, run.Input)).ToArray();

        foreach (var (run, result) in runs.Zip(results))
        {
            Assert.Equal(runs[0].Evaluator.Ledger.Counts, run.Evaluator.Ledger.Counts);
            Assert.Equal(runs[0].Evaluator.Ledger.Keys, run.Evaluator.Ledger.Keys);
            Assert.Equal((results[0].Level, results[0].Scale, results[0].NoiseVariance), (result.Level, result.Scale, result.NoiseVariance));
        }
    }

    [Fact]
    public void Every_fit_has_a_circuit_that_computes_the_same_in_as_many_levels()
    {
        var twin = new TwinBackend(new CkksParameters(ParameterSets.Toy));
        FunctionFit[] fits =
        [
            FunctionFits.InverseRoot(0.05, 4, 31, 1), FunctionFits.InverseRoot(0.05, 4, 31, 0), FunctionFits.Relu(10), FunctionFits.Exp(-13, 1, 15),
            FunctionFits.PowerExp(6), FunctionFits.Tanh(5, 63), FunctionFits.Reciprocal(0.8, 3, 15),
        ];
        foreach (var fit in fits)
        {
            var circuit = FunctionCircuit.For(fit);
            var x = Enumerable.Range(0, twin.Parameters.Slots).Select(i => fit.Low + ((fit.High - fit.Low) * i / (twin.Parameters.Slots - 1))).ToArray();

            var result = circuit.Evaluate(new Evaluator(twin), twin.Encrypt(new PlainVector(x), 18));

            Assert.Equal((fit.Depth, 18 - fit.Depth - 1), (circuit.MappedDepth, result.Level));
            Assert.All(TwinBackend.Values(result).Zip(x), pair => Assert.Equal(fit.Evaluate(pair.Item2), pair.Item1.Real, 1e-6 * Math.Max(1, Math.Abs(fit.Low))));
        }
    }

    [Fact]
    public void What_is_mapped_already_and_maps_by_whole_numbers_save_a_level()
    {
        var twin = new TwinBackend(Toy);
        var evaluator = new Evaluator(twin);
        var tanh = FunctionCircuit.For(FunctionFits.Tanh(5, 15));
        var exp = FunctionCircuit.For(FunctionFits.Exp(-0.5, 0, 15));
        var x = Enumerable.Range(0, Toy.Slots).Select(i => -0.5 * i / Toy.Slots).ToArray();

        var mapped = tanh.EvaluateMapped(evaluator, twin.Encrypt(new PlainVector(x.Select(tanh.Map.At)), 4));
        var whole = exp.Evaluate(evaluator, twin.Encrypt(new PlainVector(x), 4));

        Assert.Equal((5, 4, 0, 0), (tanh.Depth, exp.Depth, mapped.Level, whole.Level));
        Assert.All(TwinBackend.Values(mapped).Zip(x), pair => Assert.Equal(FunctionFits.Tanh(5, 15).Evaluate(pair.Item2), pair.Item1.Real, 1e-9));
        Assert.All(TwinBackend.Values(whole).Zip(x), pair => Assert.Equal(Math.Exp(pair.Item2), pair.Item1.Real, 1e-9));
    }

    [Fact]
    public void Too_few_levels_are_refused_with_the_number_needed_before_anything_is_computed()
    {
        var plan = new PlanBackend(Toy);
        var evaluator = new Evaluator(plan);

        var refusals = new[] { "relu", "inverse root", "reciprocal", "exp" }.Select(name =>
        {
            var circuit = Case(name).Circuit;
            return (circuit.Depth, Assert.Throws<MisuseException>(() => circuit.Evaluate(evaluator, plan.Encrypt(circuit.Depth - 1))).Message);
        }).ToArray();

        Assert.All(refusals, refusal => Assert.Contains($"takes {refusal.Depth} levels", refusal.Message));
        Assert.Contains("takes 14 levels", Assert.Throws<MisuseException>(() => Case("relu").Circuit.EvaluateMapped(evaluator, plan.Encrypt(13))).Message);
        Assert.Empty(evaluator.Ledger.Counts);
    }

    private static IReadOnlyList<Complex> OnTwin(TestCase test, double[] x, Random? noise)
    {
        var twin = new TwinBackend(Toy, noise);
        return TwinBackend.Values(test.Circuit.Evaluate(new Evaluator(twin), twin.Encrypt(new PlainVector(x), Toy.MaxLevel)));
    }

    private static double Deviation(IReadOnlyList<Complex> found, IReadOnlyList<Complex> expected) =>
        Math.Sqrt(found.Zip(expected, (a, b) => (a - b).Magnitude).Average(e => e * e));

    private static double[] Inputs(TestCase test, int count)
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, count).Select(_ => test.Low + ((test.High - test.Low) * random.NextDouble()))];
    }

    private static TestCase Case(string name)
    {
        switch (name)
        {
            case "tanh":
                return Of(FunctionFits.Tanh(5, 63), 1e-8);
            case "sign":
                var sign = FunctionFits.Relu(10).Parts;
                return new TestCase(new PolynomialCircuit(sign), x => sign.Aggregate(x, (value, part) => part.Evaluate(value)), _ => 0, -1, 1, 1e-6, 1 << 18);
            case "relu":
                return Of(FunctionFits.Relu(10), 1e-6, 1 << 18);
            case "inverse root":
                return Relative(FunctionFits.InverseRoot(0.02, 5, 31, 2), 3e-6);
            case "inverse root of degree 127":
                return Relative(FunctionFits.InverseRoot(0.0005, 1, 127, 3), 3e-4);
            case "reciprocal":
                return Goldschmidt(ReciprocalCircuit.Fit(0.25, 2.5, 7, 2), 0.25, 2.5, 1e-6);
            case "reciprocal in three steps":
                return Goldschmidt(ReciprocalCircuit.Fit(0.05, 4, 15, 3), 0.05, 4, 1e-5);
            case "exp":
                return new TestCase(ExponentialCircuit.ByPolynomial(-64, 0, 15, 3), Math.Exp, _ => Math.ScaleB(1, -28), -64, 0, 1e-7);
            case "power exp":
                var power = FunctionFits.PowerExp(8);
                return new TestCase(ExponentialCircuit.ByPower(8), Math.Exp, _ => power.MaxError, power.Low, power.High, 1e-6);
            default:
                throw new ArgumentOutOfRangeException(nameof(name));
        }
    }

    private static TestCase Of(FunctionFit fit, double noise, double caution = 64) =>
        new(FunctionCircuit.For(fit), fit.Exact, _ => fit.MaxError, fit.Low, fit.High, noise, caution);

    private static TestCase Relative(FunctionFit fit, double noise) =>
        new(FunctionCircuit.For(fit), fit.Exact, x => fit.MaxRelativeError * fit.Exact(x), fit.Low, fit.High, noise);

    private static TestCase Goldschmidt(ReciprocalCircuit circuit, double low, double high, double noise) =>
        new(circuit, x => 1 / x, x => circuit.MaxRelativeError / x, low, high, noise);

    /// <param name="FitError">Largest error of the fit at a place.</param>
    /// <param name="Noise">Largest noise of a slot.</param>
    /// <param name="Caution">By how much the estimate may be above the noise: it knows bounds and largest slopes only, which a sign has in few places.</param>
    private sealed record TestCase(
        FunctionCircuit Circuit, Func<double, double> Exact, Func<double, double> FitError, double Low, double High, double Noise, double Caution = 64);
}
