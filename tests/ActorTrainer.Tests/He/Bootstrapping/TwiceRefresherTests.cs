using System.Numerics;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He.Bootstrapping;

/// <summary>Bootstrapping a second time what the first time has missed.</summary>
[Collection(BootstrapTests.Name)]
public sealed class TwiceRefresherTests(BootstrapFixture fixture)
{
    private BootstrapEngine Engine => fixture.Engine;

    private int Top => Engine.Bootstrapper.OutputLevel;

    [Theory]
    [InlineData("uniform")]
    [InlineData("ones")]
    [InlineData("single")]
    [InlineData("zero")]
    public void A_second_time_makes_it_more_precise_by_bits_as_the_noise_model_says(string name)
    {
        using var low = Engine.Encrypt(BootstrapFixture.Input(name, Engine.Parameters.Slots));
        // With fresh noise, which is larger than all that the second time leaves.
        double[] values = [.. Engine.Slots(low).Select(slot => slot.Real)];

        using var once = Refresher(Engine.Evaluator, twice: false).Refresh([low], Top, "a")[0];
        using var twice = Refresher(Engine.Evaluator, twice: true).Refresh([low], Top, "a")[0];

        Assert.Equal((once.Level, once.Scale), (twice.Level, twice.Scale));
        var (first, second, estimate) = (Bits(once, values), Bits(twice, values), -Math.Log2(twice.EstimatedError));
        Assert.True(second >= first + 4, $"{first:F1} bits, then {second:F1}");
        Assert.True(second >= estimate - 2 && second <= estimate + 3, $"{second:F1} bits; the model says {estimate:F1}.");
    }

    [Fact]
    public void Pairs_of_any_levels_come_out_at_the_level_that_is_asked_for_and_inputs_are_kept()
    {
        var (x, y) = (BootstrapFixture.Input("uniform", Engine.Parameters.Slots), BootstrapFixture.Input("ramp", Engine.Parameters.Slots));
        using var a = Engine.Encrypt(x);
        using var b = Engine.Encrypt(y, Engine.Bootstrapper.InputLevel + 2);
        var level = Engine.Bootstrapper.InputLevel + 4;

        var lifted = Refresher(Engine.Evaluator, twice: true).Refresh([a, b, a], level, "a");

        Assert.All(lifted, c => Assert.Equal((level, Engine.Parameters.ScaleAt(level)), (c.Level, c.Scale)));
        double[] bits = [.. lifted.Zip([x, y, x], Bits)];
        Assert.All(bits, found => Assert.True(found >= 28, $"{found:F1} bits"));
        Assert.True(Bits(a, x) >= 28);
        foreach (var ciphertext in lifted)
        {
            ciphertext.Dispose();
        }
    }

    [Fact]
    public void Bounds_of_sites_are_those_of_their_rests_too_and_other_sites_are_bootstrapped_once()
    {
        var values = BootstrapFixture.Input("uniform", Engine.Parameters.Slots).Select(v => v * 6).ToArray();
        using var low = Engine.Encrypt(values);
        var asked = new List<(string Site, double? Bound)>();
        var bounds = TwiceRefresher.WithRests(site => site is "large" or "other" ? 8 : null);
        var inner = new BootstrapRefresher(Engine.Evaluator, Engine.Bootstrapper, site =>
        {
            asked.Add((site, bounds(site)));
            return bounds(site);
        });
        var refresher = new TwiceRefresher(Engine.Evaluator, inner, site => site == "large");

        using var large = refresher.Refresh([low], Top, "large")[0];
        using var other = refresher.Refresh([low], Top, "other")[0];

        Assert.Equal([("large", 8), ("large.rest", 8 * TwiceRefresher.Rest), ("other", 8)], asked);
        Assert.True(Bits(large, values) >= Bits(other, values) + 4, $"{Bits(other, values):F1} bits, then {Bits(large, values):F1}");
    }

    /// <summary>The twin draws the noise of each operation, at any size.</summary>
    [Fact]
    public void At_full_strength_the_twin_gains_bits_by_a_second_time()
    {
        var parameters = new CkksParameters(ParameterSets.B16D);
        var bootstrapper = new Bootstrapper(parameters, BootstrapShape.For(parameters));
        var values = BootstrapFixture.Input("uniform", parameters.Slots);
        var twin = new TwinBackend(parameters, new Random(1));
        var evaluator = new Evaluator(twin);
        var low = twin.Encrypt(new PlainVector(values), bootstrapper.InputLevel);
        // Of fresh noise, which is larger than that of numbers computed with.
        double[] encrypted = [.. TwinBackend.Values(low).Select(value => value.Real)];

        var (once, twice) = (Lifted(false), Lifted(true));

        Assert.True(once >= 20 && twice >= once + 4, $"{once:F1} bits, then {twice:F1}");

        double Lifted(bool again) => RealBits(
            TwinBackend.Values(new TwiceRefresher(evaluator, new BootstrapRefresher(evaluator, bootstrapper), _ => again).Refresh([low], bootstrapper.OutputLevel, "a")[0]), encrypted);
    }

    [Fact]
    public void On_paper_it_takes_two_bootstraps_and_no_other_keys()
    {
        var plan = new PlanBackend(Engine.Parameters);
        var evaluator = new Evaluator(plan);

        Refresher(evaluator, twice: true).Refresh([plan.Encrypt(Engine.Bootstrapper.InputLevel)], Top, "a");

        Assert.Equal(2, evaluator.Ledger.Count(Operation.RaiseModulus));
        Assert.Equal(Engine.Bootstrapper.Requests().OrderBy(key => key.Element), evaluator.Ledger.Keys.OrderBy(key => key.Element));
    }

    private double Bits(Ciphertext ciphertext, IReadOnlyList<double> expected) => RealBits(Engine.Slots(ciphertext), expected);

    private static double RealBits(IReadOnlyList<Complex> slots, IReadOnlyList<double> expected) =>
        -Math.Log2(Math.Sqrt(slots.Select((found, i) => found.Real - expected[i % expected.Count]).Average(e => e * e)));

    private TwiceRefresher Refresher(Evaluator evaluator, bool twice) => new(evaluator, new BootstrapRefresher(evaluator, Engine.Bootstrapper), _ => twice);
}
