using ActorTrainer.Model.Common;
using ActorTrainer.Model.Stages;

namespace ActorTrainer.Actors.Crew;

/// <summary>
/// Chooses the nodes, their order and the cut so that the slowest stage is as fast as possible under every node's memory. Equal problems
/// have equal answers. Results of a run do not depend on it, only its speed.
/// </summary>
public static class Placement
{
    /// <summary>Speeds are measured: what differs by less than this factor counts as equally fast, and then other things decide.</summary>
    public const double EquallyFast = 1.05;

    /// <summary>Places a run.</summary>
    public static PlacementResult Of(PlacementProblem problem)
    {
        try
        {
            return Place(problem);
        }
        catch (RefusedException e)
        {
            return new PlacementResult(null, e.Message); // the cut that was asked for is none of this model
        }
    }

    private static PlacementResult Place(PlacementProblem problem)
    {
        var needs = problem.Needs;
        var nodes = problem.Nodes.OrderBy(node => node.Name, StringComparer.Ordinal).ToList();
        if (nodes.Count == 0)
        {
            return new PlacementResult(null, "there is no node that can play a stage");
        }

        if (needs.Units.Count < needs.Chunks)
        {
            return new PlacementResult(null, $"pipeline.chunks={needs.Chunks} parts on each stage are more than the model's {needs.Units.Count} units");
        }

        var cut = new NodeCut(needs);
        var most = MostStages(needs, nodes.Count);
        var sparing = Math.Min(most, Math.Max(Math.Max(1, problem.KeepStages), nodes.Count - needs.Spares));
        var found = FixedCut(needs, most) is not null
            ? Best(problem, nodes, cut, most, most)
            : Best(problem, nodes, cut, 1, sparing) ?? Best(problem, nodes, cut, sparing + 1, most);
        return found is null
            ? new PlacementResult(null, PlacementRefusal.Text(problem.Needs, nodes, cut, most))
            : new PlacementResult(Describe(problem, nodes, cut, found), "");
    }

    /// <summary>Most stages that could be, with so many nodes.</summary>
    internal static int MostStages(CrewNeeds needs, int nodes)
    {
        var most = Math.Min(nodes, needs.Units.Count / needs.Chunks);
        most = needs.Cut is { Count: > 0 } fixedCut ? Math.Min(most, Math.Max(1, fixedCut.Count / needs.Chunks)) : most;
        return needs.Stages > 0 ? Math.Min(most, needs.Stages) : most;
    }

    /// <summary>The user's cut where it is one for so many stages, else null.</summary>
    internal static int[]? FixedCut(CrewNeeds needs, int stages) => needs.Cut is { Count: > 0 } cut && cut.Count == stages * needs.Chunks
        ? [.. StagePartition.FromCut(cut, needs.Units.Count).Parts.Select(part => part.Count)]
        : null;

    /// <summary>Of the best plans for each number of stages: as few suspect links as possible, then fast, then many stages.</summary>
    private static Candidate? Best(PlacementProblem problem, IReadOnlyList<PlacementNode> nodes, NodeCut cut, int from, int to)
    {
        var all = Enumerable.Range(from, Math.Max(0, to - from + 1)).Select(stages => Best(problem, nodes, cut, stages)).OfType<Candidate>().ToList();
        if (all.Count == 0)
        {
            return null;
        }

        var suspect = all.Min(c => c.Suspect);
        var calm = all.Where(c => c.Suspect == suspect).ToList();
        var fastest = calm.Min(c => c.Step);
        return calm.Last(c => c.Step <= fastest * EquallyFast);
    }

    private static Candidate? Best(PlacementProblem problem, IReadOnlyList<PlacementNode> nodes, NodeCut cut, int stages)
    {
        var orders = nodes.Count <= PlacementOrders.MostForAll
            ? PlacementOrders.All(nodes, stages)
            : PlacementOrders.Improved(
                nodes, stages, order => Try(problem, cut, order) is { } c ? (c.Suspect, c.Slowest, -c.Held) : (int.MaxValue, double.PositiveInfinity, 0L));
        var all = orders.Select(order => Try(problem, cut, order)).OfType<Candidate>().ToList();
        if (all.Count == 0)
        {
            return null;
        }

        var suspect = all.Min(c => c.Suspect);
        var fastest = all.Where(c => c.Suspect == suspect).Min(c => c.Slowest);
        return all.Where(c => c.Suspect == suspect && c.Slowest <= fastest * EquallyFast)
            .OrderByDescending(c => c.Held).ThenBy(c => c.Slowest).First(); // the sort is stable: then by name
    }

    private static Candidate? Try(PlacementProblem problem, NodeCut cut, PlacementNode[] order)
    {
        var sizes = FixedCut(problem.Needs, order.Length);
        if (sizes is not null && Enumerable.Range(0, order.Length).Any(stage => !cut.Fits(order, sizes, stage)))
        {
            return null;
        }

        if ((sizes ?? cut.Fastest(order)) is not { } parts)
        {
            return null;
        }

        var seconds = Enumerable.Range(0, order.Length).Select(stage => cut.Seconds(order, parts, stage)).ToArray();
        return new Candidate(
            order, parts, seconds.Max(), PipelineTime.Step(seconds, problem.Needs.MicroBatches, problem.Needs.Chunks), Suspect(problem, order), Held(problem, order, parts));
    }

    /// <summary>Links of the order that are suspect: neighbours, the two ends with the tied table, and the dealer's to both ends.</summary>
    private static int Suspect(PlacementProblem problem, PlacementNode[] order)
    {
        if (problem.Suspects.Count == 0)
        {
            return 0;
        }

        var links = new HashSet<NodePair> { new("", order[0].Name), new("", order[^1].Name) };
        for (var i = 0; order.Length > 1 && i < order.Length; i++)
        {
            links.Add(new NodePair(order[i].Name, order[(i + 1) % order.Length].Name));
        }

        return links.Count(problem.Suspects.Contains);
    }

    /// <summary>Bytes of unit states that are already where they will be needed.</summary>
    private static long Held(PlacementProblem problem, PlacementNode[] order, IReadOnlyList<int> parts)
    {
        if (problem.Objects.Count == 0)
        {
            return 0;
        }

        var needs = problem.Needs;
        return Enumerable.Range(0, order.Length).Sum(stage => UnitsOf(parts, order.Length, stage)
            .Where(unit => problem.Objects.TryGetValue(needs.Units[unit], out var hash) && order[stage].Holds.Contains(hash))
            .Sum(unit => Math.Max(1, needs.UnitMemory[unit].Fixed)));
    }

    private static IEnumerable<int> UnitsOf(IReadOnlyList<int> parts, int stages, int stage) =>
        NodeCut.Ranges(parts, stages, stage).SelectMany(range => Enumerable.Range(range.First, range.End - range.First));

    private static PlacementPlan Describe(PlacementProblem problem, IReadOnlyList<PlacementNode> nodes, NodeCut cut, Candidate found)
    {
        var (order, parts) = (found.Order, found.Parts);
        var copies = ReplicaChoice.Of([.. order.Select(node => node.Name)], problem.Keepers, problem.Needs.Copies, problem.Suspects);
        return new PlacementPlan(
            [.. order.Select((node, stage) => new PlacedStage(
                node.Name, [.. UnitsOf(parts, order.Length, stage)], cut.Seconds(order, parts, stage), cut.Memory(order.Length, parts, stage), copies[stage]))],
            parts,
            found.Step,
            [.. nodes.Except(order).Select(node => node.Name)],
            found.Suspect);
    }

    private sealed record Candidate(PlacementNode[] Order, int[] Parts, double Slowest, double Step, int Suspect, long Held);
}
