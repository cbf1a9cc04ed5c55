using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using Xunit;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>Where programs bootstrap: as a search over made costs, and on a made model.</summary>
public sealed class RefreshPlacementTests
{
    private static readonly string[] Sites = ["a", "b", "c"];

    [Fact]
    public void Sites_reach_as_far_as_pays_and_no_further()
    {
        // A refresh costs 100, and is saved at b and c by 4 levels of a; each level that a site reaches costs 1.
        double Cost(IReadOnlyDictionary<string, int> reach) => 100 + (reach.GetValueOrDefault("a") >= 4 ? 0 : 200) + reach.Values.Sum();

        var found = RefreshPlacement.Find(Sites, 10, Cost);

        Assert.Equal(new Dictionary<string, int> { ["a"] = 4 }, found);
    }

    [Fact]
    public void Where_refreshes_are_cheap_every_site_takes_what_is_asked_for()
    {
        Assert.Empty(RefreshPlacement.Find(Sites, 10, reach => reach.Values.Sum()));
    }

    [Fact]
    public void Levels_with_which_a_program_cannot_be_run_are_not_chosen_and_of_equal_ones_the_lower()
    {
        double Cost(IReadOnlyDictionary<string, int> reach) => reach.GetValueOrDefault("b") > 6 ? double.PositiveInfinity : reach.GetValueOrDefault("b") >= 6 ? 1 : 2;

        Assert.Equal(new Dictionary<string, int> { ["b"] = 6 }, RefreshPlacement.Find(Sites, 10, Cost));
    }

    [Fact]
    public void Where_a_search_would_take_too_long_all_sites_reach_equally_far()
    {
        var calls = 0;
        double Cost(IReadOnlyDictionary<string, int> reach)
        {
            calls++;
            return Math.Abs(reach.GetValueOrDefault("a") - 6);
        }

        var found = RefreshPlacement.Find(Sites, 10, Cost, descend: false);

        Assert.Equal(new Dictionary<string, int> { ["a"] = 6, ["b"] = 6, ["c"] = 6 }, found);
        Assert.Equal(5, calls);
    }

    [Fact]
    public void A_plan_tells_what_the_owner_lifts_and_how_often_stages_bootstrap()
    {
        using var task = new MadeTask(layers: 1, outputs: 2);
        var twice = Plan(RefreshKind.Bootstrap, SecondIteration.State);
        var once = Plan(RefreshKind.Bootstrap, SecondIteration.None);
        var mixed = Plan(RefreshKind.Mixed, SecondIteration.None);
        var speed = new OwnerSpeed(1, 2, 18, 1, 1e9);

        Assert.All(Lifts(once), lift => Assert.Equal(1, lift.Lift.Iterations));
        Assert.Contains(Lifts(twice), lift => lift is { Block: "optimiser", Lift.Iterations: 2 });
        Assert.All(Lifts(twice), lift => Assert.Equal(lift is { Block: "optimiser", Lift.Iterations: 2 } ? 2 : 1, lift.Lift.Iterations));
        Assert.Equal(once.Refreshes(1), twice.Refreshes(1));
        Assert.True(Raised(twice) > Raised(once) && Raised(once) > Raised(mixed) && Raised(mixed) > 0, $"{Raised(twice)}, {Raised(once)}, {Raised(mixed)}");
        Assert.Equal(0, OwnerTraffic.Of(once.Parameters, once.Units, 1, speed).Requests);
        var owners = OwnerTraffic.Of(mixed.Parameters, mixed.Units, 1, speed).Ciphertexts;
        Assert.Equal(Lifts(mixed).Where(lift => lift.Lift.IsOwners).Sum(lift => lift.Lift.Count * lift.Times), owners);
        Assert.InRange(owners, 1, mixed.Refreshes(1) - 1);
        Assert.All(Lifts(mixed).Where(lift => lift.Lift.IsOwners), lift => Assert.Equal("optimiser", lift.Block));

        ModelPlan Plan(RefreshKind kind, SecondIteration iterations)
        {
            var recipe = task.Recipe with { Set = ParameterSets.ToyB16D.Name, Refresh = kind, Twice = iterations };
            using var program = new MadeProgram(task, recipe);
            var how = recipe.Refreshing(recipe.Parameters());
            return program.Units(how.With(_ => how.HighestReach * 3 / 5));
        }

        static (string Block, PlannedLift Lift, long Times)[] Lifts(ModelPlan plan) =>
            [.. plan.Units.SelectMany(unit => unit.Blocks).SelectMany(block => block.Lifts.Select(lift => (block.Name, lift.Key, lift.Value)))];

        static long Raised(ModelPlan plan) => plan.Counts(1).Where(entry => entry.Key.Operation == Operation.RaiseModulus).Sum(entry => entry.Value);
    }

    [Fact]
    public void A_model_that_bootstraps_is_planned_with_fewer_refreshes_than_where_each_is_as_low_as_can_be()
    {
        using var task = new MadeTask(layers: 1, outputs: 2);
        var recipe = task.Recipe with { Set = ParameterSets.ToyB16D.Name, Refresh = RefreshKind.Bootstrap };
        var parameters = recipe.Parameters();
        using var program = new MadeProgram(task, recipe);

        var (owners, placed) = (program.Units(), program.Units(recipe.Refreshing(parameters)));

        Assert.InRange(placed.Refreshes(1), 1, owners.Refreshes(1) * 2 / 3);
        Assert.All(placed.Units, unit => Assert.NotEmpty(unit.Reach));
        // It is done exactly so by whoever is told where sites reach.
        var told = program.Units(recipe.Refreshing(parameters).With(site => placed.Units.SelectMany(unit => unit.Reach).ToDictionary().GetValueOrDefault(site)));
        Assert.Equal(placed.Keys, told.Keys);
        Assert.Equal(placed.Counts(1).OrderBy(entry => entry.Key), told.Counts(1).OrderBy(entry => entry.Key));
    }
}
