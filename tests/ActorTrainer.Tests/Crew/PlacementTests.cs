using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Schedules;
using CsCheck;
using Xunit;
using static ActorTrainer.Tests.Crew.Needs;

namespace ActorTrainer.Tests.Crew;

public class PlacementTests
{
    private static readonly Gen<PlacementProblem> Problems =
        from units in Gen.Int[2, 7]
        from seconds in Gen.Double[0.1, 5].Array[units]
        from memory in Gen.Int[1, 40].Select(Gen.Int[1, 10]).Array[units]
        from microBatches in Gen.Int[1, 6]
        from gpipe in Gen.Bool
        from count in Gen.Int[1, 4]
        from speeds in Gen.Double[0.2, 2].Array[count]
        from sizes in Gen.Int[20, 400].Array[count]
        from spares in Gen.Int[0, 2]
        from most in Gen.Int[0, 3]
        select Problem(
            Of(units, microBatches) with
            {
                UnitSeconds = seconds,
                UnitMemory = [.. memory.Select(m => new UnitMemory(m.Item1 * Mib, m.Item2 * Mib))],
                Schedule = gpipe ? ScheduleKind.GPipe : ScheduleKind.OneForwardOneBackward,
                Spares = spares,
                Stages = most,
            },
            [.. Enumerable.Range(0, count).Select(i => Node($"n{i}", speeds[i], sizes[i]))]);

    [Fact]
    public void Every_unit_is_placed_once_and_no_node_gets_more_than_its_memory() => Problems.Sample(problem =>
    {
        if (Placement.Of(problem).Plan is not { } plan)
        {
            return;
        }

        Assert.Equal(Enumerable.Range(0, problem.Needs.Units.Count), plan.Stages.SelectMany(s => s.Units));
        Assert.Equal(plan.Stages.Count, plan.Stages.Select(s => s.Node).Distinct().Count());
        Assert.Equal(problem.Nodes.Select(n => n.Name).Order(), plan.Stages.Select(s => s.Node).Concat(plan.Spares).Order());
        Assert.Equal(problem.Needs.Units.Count, plan.PartSizes.Sum());
        foreach (var (stage, i) in plan.Stages.Select((s, i) => (s, i)))
        {
            var inFlight = ScheduleMath.MaxInFlight(problem.Needs.Schedule, i, plan.Stages.Count, problem.Needs.MicroBatches);
            var memory = stage.Units.Sum(u => problem.Needs.UnitMemory[u].Fixed + inFlight * problem.Needs.UnitMemory[u].Activation);
            Assert.Equal(memory, stage.Memory.Bytes);
            Assert.True(memory <= problem.Nodes.Single(n => n.Name == stage.Node).MemoryBytes);
        }
    }, iter: 300, seed: "0N0XIzNsQ0O2");

    [Fact]
    public void No_other_assignment_has_a_faster_slowest_stage_or_a_clearly_faster_step() => Problems.Sample(problem =>
    {
        var plan = Placement.Of(problem).Plan;
        var all = BruteForce(problem).ToList();
        var sparing = all.Where(c => c.Stages <= Math.Max(1, problem.Nodes.Count - problem.Needs.Spares)).ToList();
        var allowed = sparing.Count > 0 ? sparing : all;

        Assert.Equal(allowed.Count > 0, plan is not null);
        if (plan is not null)
        {
            Assert.Equal(allowed.Where(c => c.Stages == plan.Stages.Count).Min(c => c.Slowest), plan.SlowestSeconds, 1e-9);
            var steps = allowed.GroupBy(c => c.Stages).Select(p => p.Where(c => c.Slowest <= p.Min(q => q.Slowest) * (1 + 1e-12)).Max(c => c.Step));
            Assert.True(plan.StepSeconds <= steps.Min() * Placement.EquallyFast * (1 + 1e-12));
        }
    }, iter: 300, seed: "0N0XIzNsQ0O2");

    [Fact]
    public void Equal_problems_have_equal_plans_in_whatever_order_the_nodes_come() => Problems.Sample(problem =>
    {
        var turned = problem with { Nodes = [.. problem.Nodes.Reverse()] };
        Assert.Equal(Text(Placement.Of(problem)), Text(Placement.Of(turned)));
    }, iter: 100, seed: "0N0XIzNsQ0O2");

    [Fact]
    public void A_slow_node_gets_fewer_units()
    {
        var plan = Placement.Of(Problem(Of(units: 9), Node("a"), Node("b", speed: 0.5))).Plan!;

        Assert.Equal(6, plan.Stages.Single(s => s.Node == "a").Units.Count);
        Assert.Equal(3, plan.Stages.Single(s => s.Node == "b").Units.Count);
        Assert.Equal(6, plan.SlowestSeconds, 1e-9);
    }

    [Fact]
    public void A_node_that_would_slow_all_others_down_is_left_out()
    {
        var plan = Placement.Of(Problem(Of(units: 4), Node("a"), Node("b"), Node("c", speed: 0.1))).Plan!;

        Assert.Equal(["a", "b"], plan.Stages.Select(s => s.Node));
        Assert.Equal(["c"], plan.Spares);
    }

    [Fact]
    public void Equal_nodes_all_play_as_far_as_there_are_units_and_stages_allowed()
    {
        PlacementNode[] nodes = [Node("a"), Node("b"), Node("c")];
        Assert.Equal(3, Placement.Of(Problem(Of(), nodes)).Plan!.Stages.Count);
        Assert.Equal(2, Placement.Of(Problem(Of() with { Stages = 2 }, nodes)).Plan!.Stages.Count);
        Assert.Equal(2, Placement.Of(Problem(Of(units: 2), nodes)).Plan!.Stages.Count);
    }

    [Fact]
    public void Spares_stay_free_until_a_node_is_lost_and_are_given_up_before_the_run_stops()
    {
        var needs = Of() with { Spares = 1 };
        Assert.Equal(["c"], Placement.Of(Problem(needs, Node("a"), Node("b"), Node("c"))).Plan!.Spares);
        Assert.Equal(["a"], Placement.Of(Problem(needs, Node("a"))).Plan!.Stages.Select(s => s.Node));
        Assert.Equal(["b"], Placement.Of(Problem(needs, Node("a"), Node("b"))).Plan!.Spares);
        Assert.Empty(Placement.Of(Problem(needs, Node("a"), Node("c")) with { KeepStages = 2 }).Plan!.Spares);

        // 6 units of 100 MiB do not fit one node of 400: the spare has to help.
        var tight = Placement.Of(Problem(needs, Node("a", mib: 400), Node("b", mib: 400))).Plan!;
        Assert.Equal(2, tight.Stages.Count);
        Assert.Empty(tight.Spares);
    }

    [Fact]
    public void Nodes_keep_the_units_whose_objects_they_hold()
    {
        var needs = Of();
        var hashes = needs.Units.ToDictionary(unit => unit, unit => $"hash of {unit}");
        var first = needs.Units.Take(3).Select(u => hashes[u]).ToArray();
        var second = needs.Units.Skip(3).Select(u => hashes[u]).ToArray();
        var problem = Problem(needs, Node("a", 1, 10_000, second), Node("b", 1.03, 10_000), Node("c", 1, 10_000, first)) with { Objects = hashes };

        var plan = Placement.Of(problem with { Needs = needs with { Stages = 2 } }).Plan!;

        Assert.Equal(["c", "a"], plan.Stages.Select(s => s.Node));
    }

    [Fact]
    public void A_refusal_names_the_stage_its_layers_and_all_numbers()
    {
        var needs = Of() with { UnitMemory = [.. Enumerable.Range(0, 6).Select(i => new UnitMemory((i == 5 ? 600 : 50) * Mib, (i == 5 ? 53 : 5) * Mib))] };

        var refusal = Placement.Of(Problem(needs, Node("n1", mib: 500), Node("n2", mib: 512))).Refusal;

        Assert.Contains("stage 1 (head) of 2 needs 653 MiB: 600 MiB of weights, gradients and optimiser state + 1 micro-batch x 53 MiB", refusal);
        Assert.Contains("the largest free node n2 has 512 MiB", refusal);
        Assert.Contains("impl.microbatch_size", refusal);
    }

    [Fact]
    public void Micro_batches_in_flight_count()
    {
        // GPipe keeps all 8: 100 + 8 x 10 for one unit; 1F1B keeps 3, 2 and 1.
        PlacementNode[] nodes = [Node("a", mib: 300), Node("b", mib: 300), Node("c", mib: 300)];
        Assert.NotNull(Placement.Of(Problem(Of(), nodes)).Plan);
        Assert.Contains("8 micro-batches x 20 MiB", Placement.Of(Problem(Of() with { Schedule = ScheduleKind.GPipe }, nodes)).Refusal);
    }

    [Fact]
    public void The_users_cut_is_kept_or_refused_and_only_fewer_nodes_change_it()
    {
        var needs = Of() with { Cut = [4, 1, 1] };
        Assert.Equal([4, 1, 1], Placement.Of(Problem(needs, Node("a"), Node("b"), Node("c"), Node("d"))).Plan!.PartSizes);
        Assert.Equal([3, 3], Placement.Of(Problem(needs, Node("a"), Node("b"))).Plan!.PartSizes);
        Assert.Contains("pipeline.cut", Placement.Of(Problem(needs, Node("a", mib: 400), Node("b", mib: 400), Node("c", mib: 400))).Refusal);
        Assert.Contains("covers 7 units", Placement.Of(Problem(Of() with { Cut = [4, 2, 1] }, Node("a"), Node("b"), Node("c"))).Refusal);
    }

    [Fact]
    public void Interleaved_parts_lie_on_their_stages_and_balance()
    {
        var needs = Of(units: 8) with { Chunks = 2, Schedule = ScheduleKind.Interleaved };

        var plan = Placement.Of(Problem(needs, Node("a"), Node("b"))).Plan!;

        Assert.Equal(4, plan.PartSizes.Count);
        Assert.Equal(4, plan.SlowestSeconds, 1e-9);
        Assert.Equal(Enumerable.Range(0, 8), plan.Stages.SelectMany(s => s.Units).Order());
        Assert.Contains(0, plan.Stages[0].Units);
        Assert.Contains(7, plan.Stages[1].Units);
    }

    [Fact]
    public void Nodes_whose_link_broke_are_no_neighbours_when_others_can_be()
    {
        PlacementNode[] nodes = [Node("a"), Node("b"), Node("c"), Node("d")];
        var suspects = new HashSet<NodePair> { new("b", "a") };

        var four = Placement.Of(Problem(Of(), nodes) with { Suspects = suspects }).Plan!;
        var two = Placement.Of(Problem(Of(), nodes[..2]) with { Suspects = suspects }).Plan!;
        var needed = Placement.Of(Problem(Of(), Node("a", mib: 400), Node("b", mib: 400)) with { Suspects = suspects }).Plan!;
        var dealer = Placement.Of(Problem(Of(), nodes) with { Suspects = new HashSet<NodePair> { new("", "a") } }).Plan!;

        Assert.Equal((4, 0), (four.Stages.Count, four.Suspect));
        Assert.Equal(2, Math.Abs(four.Stages.ToList().FindIndex(s => s.Node == "a") - four.Stages.ToList().FindIndex(s => s.Node == "b")));
        Assert.Single(two.Stages);
        Assert.Equal((2, 1), (needed.Stages.Count, needed.Suspect));
        Assert.InRange(dealer.Stages.ToList().FindIndex(s => s.Node == "a"), 1, 2);
    }

    [Fact]
    public void Many_nodes_are_placed_quickly_and_the_slow_ones_stay_free()
    {
        var nodes = Enumerable.Range(0, 20).Select(i => Node($"n{i:00}", i < 8 ? 0.3 : 1)).ToArray();
        var watch = System.Diagnostics.Stopwatch.StartNew();

        var plan = Placement.Of(Problem(Of(units: 12), nodes)).Plan!;

        Assert.Equal(12, plan.Stages.Count);
        Assert.All(plan.Stages, s => Assert.True(string.CompareOrdinal(s.Node, "n08") >= 0));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"{watch.Elapsed}");
    }

    [Fact]
    public void Copies_lie_on_other_nodes_evenly()
    {
        var copies = ReplicaChoice.Of(["a", "b", "c"], ["a", "b", "c", "coordinator"], 3, new HashSet<NodePair>());

        Assert.All(copies, c => Assert.Equal(2, c.Distinct().Count()));
        Assert.All(copies.Zip(["a", "b", "c"]), pair => Assert.DoesNotContain(pair.Item2, pair.Item1));
        var load = copies.SelectMany(c => c).GroupBy(name => name).Select(g => g.Count()).ToList();
        Assert.Equal(4, load.Count);
        Assert.True(load.Max() - load.Min() <= 1);
        Assert.Equal([[]], ReplicaChoice.Of(["a"], ["a"], 2, new HashSet<NodePair>()));
        Assert.Equal(["c"], ReplicaChoice.Of(["a"], ["a", "b", "c"], 2, new HashSet<NodePair> { new("a", "b") })[0]);
    }

    private static string Text(PlacementResult result) => result.Plan is { } plan
        ? string.Join("; ", plan.Stages.Select(s => $"{s.Node} {string.Join(',', s.Units)} {string.Join(',', s.Replicas)}"))
        : result.Refusal;

    /// <summary>All orders and all cuts that fit.</summary>
    private static IEnumerable<(int Stages, double Slowest, double Step)> BruteForce(PlacementProblem problem)
    {
        var needs = problem.Needs;
        var most = Math.Min(Math.Min(problem.Nodes.Count, needs.Units.Count), needs.Stages > 0 ? needs.Stages : int.MaxValue);
        return Enumerable.Range(1, most).SelectMany(p => Orders([], p).SelectMany(order => Cuts(needs.Units.Count, p).Select(cut => (order, cut))))
            .Select(c => Judge(c.order, c.cut)).OfType<(int, double, double)>();

        IEnumerable<PlacementNode[]> Orders(PlacementNode[] chosen, int p) => chosen.Length == p
            ? [chosen]
            : problem.Nodes.Where(n => !chosen.Contains(n)).SelectMany(n => Orders([.. chosen, n], p));

        static IEnumerable<int[]> Cuts(int units, int p) => p == 1
            ? [[units]]
            : Enumerable.Range(1, units - p + 1).SelectMany(first => Cuts(units - first, p - 1).Select(rest => (int[])[first, .. rest]));

        (int, double, double)? Judge(PlacementNode[] order, int[] cut)
        {
            var (unit, times) = (0, new List<double>());
            for (var s = 0; s < order.Length; s++)
            {
                var own = Enumerable.Range(unit, cut[s]).ToList();
                var inFlight = ScheduleMath.MaxInFlight(needs.Schedule, s, order.Length, needs.MicroBatches);
                if (own.Sum(u => needs.UnitMemory[u].Fixed + inFlight * needs.UnitMemory[u].Activation) > order[s].MemoryBytes)
                {
                    return null;
                }

                times.Add(own.Sum(u => needs.UnitSeconds[u]) / order[s].Speed);
                unit += cut[s];
            }

            return (order.Length, times.Max(), times.Sum() + (needs.MicroBatches - 1) * times.Max());
        }
    }
}
