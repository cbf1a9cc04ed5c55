using System.Numerics;
using ActorTrainer.He.Approximation;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class ChebyshevEvaluationTests
{
    private static readonly CkksParameters Toy = new(ParameterSets.ToyL15);

    /// <summary>Products and relinearisations are what the method needs, for dense polynomials.</summary>
    [Theory]
    [InlineData(7, 3, 5, 4)]
    [InlineData(15, 4, 8, 7)]
    [InlineData(31, 5, 13, 10)]
    [InlineData(63, 6, 23, 13)]
    [InlineData(127, 7, 28, 18)]
    public void A_polynomial_takes_as_few_levels_as_its_degree_allows_and_a_known_number_of_products(int degree, int levels, int products, int relinearisations)
    {
        var backend = new TwinBackend(Toy);
        var evaluator = new Evaluator(backend);
        var (x, coefficients) = Sample(degree);
        using var input = backend.Encrypt(new PlainVector(x), Toy.MaxLevel);

        using var result = ChebyshevEvaluation.Evaluate(evaluator, input, coefficients);

        Assert.Equal(Toy.MaxLevel - levels, result.Level);
        Assert.True(result.Scale.Matches(Toy.ScaleAt(result.Level)));
        Assert.Equal((products, relinearisations, 0), (evaluator.Ledger.Count(Operation.Multiply), evaluator.Ledger.Count(Operation.Relinearise), evaluator.Ledger.Count(Operation.Rotate)));
        var series = new ChebyshevSeries(-1, 1, coefficients);
        Assert.All(TwinBackend.Values(result).Zip(x), pair => Assert.Equal(series.Evaluate(pair.Item2), pair.Item1.Real, 1e-9));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(31)]
    [InlineData(63)]
    [InlineData(100)]
    public void Ciphertexts_and_the_twin_agree_to_the_estimated_noise(int degree)
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var (x, coefficients) = Sample(degree);
        var series = new ChebyshevSeries(-1, 1, coefficients);
        using var input = he.Encrypt([.. x.Select(v => new Complex(v, 0))]);

        using var result = ChebyshevEvaluation.Evaluate(he.Evaluator, input, coefficients);

        var error = he.Error(result, x.Select(v => new Complex(series.Evaluate(v), 0)));
        Assert.True(error < 4 * result.EstimatedError, $"{error} against an estimate of {result.EstimatedError}");
        Assert.True(error < Math.ScaleB(1, -20));
    }

    [Fact]
    public void An_odd_polynomial_skips_the_even_powers_that_it_does_not_need()
    {
        var backend = new PlanBackend(Toy);
        var (dense, odd) = (new Evaluator(backend), new Evaluator(backend));
        var (_, coefficients) = Sample(127);

        ChebyshevEvaluation.Evaluate(dense, backend.Encrypt(Toy.MaxLevel), coefficients);
        ChebyshevEvaluation.Evaluate(odd, backend.Encrypt(Toy.MaxLevel), [.. coefficients.Select((c, i) => i % 2 == 0 ? 0 : c)]);

        Assert.True(odd.Ledger.Count(Operation.Multiply) < dense.Ledger.Count(Operation.Multiply));
        Assert.True(odd.Ledger.Count(Operation.Relinearise) < dense.Ledger.Count(Operation.Relinearise));
    }

    [Fact]
    public void Plan_twin_and_engine_keep_the_same_ledger_levels_scales_and_noise()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var (twin, plan) = (new TwinBackend(he.Parameters), new PlanBackend(he.Parameters));
        var (x, coefficients) = Sample(31);
        var runs = new (Evaluator Evaluator, Ciphertext Input)[]
        {
            (he.Evaluator, he.Encrypt([.. x.Select(v => new Complex(v, 0))])),
            (new Evaluator(twin), twin.Encrypt(new PlainVector(x), he.Parameters.MaxLevel)),
            (new Evaluator(plan), plan.Encrypt(he.Parameters.MaxLevel)),
        };

        var results = runs.Select(run => ChebyshevEvaluation.Evaluate(run.Evaluator, run.Input, coefficients)).ToArray();

        foreach (var (run, result) in runs.Zip(results))
        {
            Assert.Equal(runs[0].Evaluator.Ledger.Counts, run.Evaluator.Ledger.Counts);
            Assert.Equal(runs[0].Evaluator.Ledger.Keys, run.Evaluator.Ledger.Keys);
            Assert.Equal((results[0].Level, results[0].Scale, results[0].NoiseVariance), (result.Level, result.Scale, result.NoiseVariance));
        }
    }

    [Fact]
    public void Too_few_levels_are_refused_before_anything_is_computed()
    {
        var backend = new PlanBackend(Toy);
        var evaluator = new Evaluator(backend);

        var refusal = Assert.Throws<MisuseException>(() => ChebyshevEvaluation.Evaluate(evaluator, backend.Encrypt(4), Sample(31).Coefficients));

        Assert.Contains("5 levels", refusal.Message);
        Assert.Empty(evaluator.Ledger.Counts);
    }

    private static (double[] X, double[] Coefficients) Sample(int degree)
    {
        var random = new Random(degree);
        var coefficients = Enumerable.Range(0, degree + 1).Select(_ => ((2 * random.NextDouble()) - 1) / (degree + 1)).ToArray();
        return ([.. Enumerable.Range(0, Toy.Slots).Select(_ => (2 * random.NextDouble()) - 1)], coefficients);
    }
}
