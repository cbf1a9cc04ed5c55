using ActorTrainer.He.Backends;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He.Bootstrapping;

/// <summary>Bootstrapping as a program: what it takes, on every backend, and what is refused.</summary>
[Collection(BootstrapTests.Name)]
public sealed class BootstrapProgramTests(BootstrapFixture fixture)
{
    private BootstrapEngine Engine => fixture.Engine;

    private Bootstrapper Bootstrapper => Engine.Bootstrapper;

    private CkksParameters Parameters => Engine.Parameters;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Plan_twin_and_engine_do_the_same_operations_with_the_same_levels_and_scales(bool pair)
    {
        double[] values = [0.25, -0.5];
        var level = Bootstrapper.InputLevel;
        var plan = new PlanBackend(Parameters);
        var twin = new TwinBackend(Parameters);
        using var low = Engine.Encrypt(values);
        var engine = new Evaluator(new CkksBackend(Engine.Context, Engine.Keys));
        var runs = new[] { (new Evaluator(plan), plan.Encrypt(level)), (new Evaluator(twin), twin.Encrypt(new PlainVector(values), level)), (engine, low) }
            .Select(run => (Results: Run(run.Item1, run.Item2), run.Item1.Ledger)).ToArray();

        Assert.All(runs.SelectMany(run => run.Results), result =>
        {
            Assert.Equal(Bootstrapper.OutputLevel, result.Level);
            Assert.Equal(runs[0].Results[0].Scale, result.Scale);
            Assert.Equal(runs[0].Results[0].EstimatedError, result.EstimatedError);
        });
        Assert.All(runs, run => Assert.Equal(runs[0].Ledger.Counts, run.Ledger.Counts));
        Assert.All(runs, run => Assert.Equal(runs[0].Ledger.Keys, run.Ledger.Keys));
        Assert.Equal(1, runs[0].Ledger.Count(Operation.RaiseModulus));
        Assert.All(runs[2].Results, result => result.Dispose());

        Ciphertext[] Run(Evaluator evaluator, Ciphertext a)
        {
            if (!pair)
            {
                return [Bootstrapper.Single(evaluator, a)];
            }

            var (first, second) = Bootstrapper.Pair(evaluator, a, a);
            return [first, second];
        }
    }

    [Fact]
    public void The_twin_gives_the_slots_with_the_errors_of_the_polynomials_and_with_noise_those_of_the_model()
    {
        var values = BootstrapFixture.Input("uniform", Parameters.Slots);
        foreach (var (noise, least) in new[] { (null, 23.0), (new Random(1), 20.0) })
        {
            var twin = new TwinBackend(Parameters, noise);

            var lifted = Bootstrapper.Single(new Evaluator(twin), twin.Encrypt(new PlainVector(values), Bootstrapper.InputLevel));

            var error = Math.Sqrt(TwinBackend.Values(lifted).Zip(values, (found, value) => (found - value).Magnitude).Average(e => e * e));
            Assert.True(-Math.Log2(error) >= least, $"{-Math.Log2(error):F1} bits");
        }
    }

    /// <summary>What the fixture's keys are made from, so that all else here shows that they are enough.</summary>
    [Fact]
    public void Requests_are_the_keys_of_the_matrices_and_no_others()
    {
        var requests = Bootstrapper.Requests();
        var shape = Bootstrapper.Shape;

        Assert.Equal(requests.OrderBy(r => r.Element), Engine.Keys.Requests.OrderBy(r => r.Element));
        Assert.Equal(Parameters.MaxLevel - shape.ToSlots.Count, requests.Single(r => r.Element == KeyRequest.Relinearisation).Level);
        Assert.Equal(Parameters.MaxLevel - shape.ToSlots.Count, requests.Single(r => r.Element == Galois.Conjugation(Parameters)).Level);
        Assert.True(requests.Count(r => r.Level > Parameters.MaxLevel - shape.ToSlots.Count) <= shape.ToSlots.Count * (shape.BabySteps + 1));
        Assert.All(requests, r => Assert.True(r.Level <= Bootstrapper.InputLevel || r.Level >= Parameters.MaxLevel - shape.ToSlots.Count));
    }

    [Fact]
    public void Keys_that_are_missing_are_named()
    {
        using var generator = new KeyGenerator(Engine.Context, HeFixture.FixedSeed(3), allowInsecure: true);
        using var none = generator.NewEvaluationKeys(Engine.Secret, []);
        using var withoutSparse = generator.NewEvaluationKeys(Engine.Secret, Bootstrapper.Requests().Select(r => r with { Level = Math.Min(r.Level, Bootstrapper.InputLevel) }));
        using var low = Engine.Encrypt([1.0]);

        Assert.Contains("was not made", Assert.Throws<MissingKeyException>(() => Bootstrapper.Single(new Evaluator(new CkksBackend(Engine.Context, none)), low)).Message);
        Assert.Contains("sparse secret", Assert.Throws<MissingKeyException>(() => Bootstrapper.Single(new Evaluator(new CkksBackend(Engine.Context, withoutSparse)), low)).Message);
    }

    [Fact]
    public void A_ciphertext_that_fell_too_low_is_refused()
    {
        using var low = Engine.Encrypt([1.0], Bootstrapper.InputLevel - 1);

        Assert.Contains($"before it falls below {Bootstrapper.InputLevel}", Assert.Throws<MisuseException>(() => Bootstrapper.Single(Engine.Evaluator, low)).Message);
    }

    [Fact]
    public void Sets_without_room_and_numbers_of_slots_that_are_none_are_refused()
    {
        var other = new CkksParameters(ParameterSets.ToyL15);

        Assert.Contains("family B16", Assert.Throws<ParametersRefusedException>(() => BootstrapShape.For(other)).Message);
        Assert.Contains("none would be left", Assert.Throws<ParametersRefusedException>(() => new Bootstrapper(other, BootstrapShape.For(Parameters))).Message);
        Assert.Contains("power of two of slots", Assert.Throws<ArgumentException>(() => BootstrapShape.For(Parameters, 3)).Message);
        Assert.Throws<ArgumentException>(() => BootstrapShape.For(Parameters, 2 * Parameters.Slots));
    }

    [Theory]
    [InlineData("B16", 3, 17)]
    [InlineData("B16d", 3, 18)]
    [InlineData("B16k", 3, 14)]
    [InlineData("B16hp", 3, 13)]
    public void The_sets_of_full_size_have_at_least_nine_levels_between_two_bootstraps(string name, int input, int output)
    {
        var parameters = new CkksParameters(ParameterSets.All.Single(set => set.Name == name));

        var bootstrapper = new Bootstrapper(parameters, BootstrapShape.For(parameters, 64));

        Assert.Equal((input, output), (bootstrapper.InputLevel, bootstrapper.OutputLevel));
        Assert.True(output - input >= 9 && output - input == parameters.UsableLevels);
    }
}
