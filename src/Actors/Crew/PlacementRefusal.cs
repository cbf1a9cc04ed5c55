namespace ActorTrainer.Actors.Crew;

/// <summary>Says with numbers why a run fits nowhere.</summary>
internal static class PlacementRefusal
{
    /// <summary>The stage that is farthest from fitting in the cut that comes nearest to it.</summary>
    /// <param name="needs">The run.</param>
    /// <param name="nodes">The nodes, by name.</param>
    /// <param name="cut">Cuts over them.</param>
    /// <param name="stages">Most stages there can be: each has less to hold then.</param>
    public static string Text(CrewNeeds needs, IReadOnlyList<PlacementNode> nodes, NodeCut cut, int stages)
    {
        var orders = nodes.Count <= PlacementOrders.MostForAll
            ? PlacementOrders.All(nodes, stages)
            : PlacementOrders.Improved(nodes, stages, order => Worst(needs, cut, order).Fullness);
        var (order, parts, stage, _) = orders.Select(order => Worst(needs, cut, order)).MinBy(worst => worst.Fullness);
        var largest = nodes.MaxBy(node => node.MemoryBytes)!;
        var node = order[stage];
        var others = node.MemoryBytes == largest.MemoryBytes
            ? $"the largest free node {largest.Name} has {StageMemory.Text(largest.MemoryBytes)}"
            : $"node {node.Name} has {StageMemory.Text(node.MemoryBytes)}, the largest free node {largest.Name} {StageMemory.Text(largest.MemoryBytes)}";
        return $"stage {stage} ({Names(needs, parts, order.Length, stage)}) of {order.Length} needs {cut.Memory(order.Length, parts, stage)}; {others}. "
            + $"Use more nodes{(needs.Cut is { Count: > 0 } ? ", another pipeline.cut" : "")}, a smaller impl.microbatch_size, impl.recompute=true, "
            + "or give the nodes more memory (cluster.memory).";
    }

    private static (PlacementNode[] Order, int[] Parts, int Stage, double Fullness) Worst(CrewNeeds needs, NodeCut cut, PlacementNode[] order)
    {
        var parts = Placement.FixedCut(needs, order.Length) ?? cut.Emptiest(order);
        var stage = Enumerable.Range(0, order.Length).MaxBy(s => cut.Fullness(order, parts, s));
        return (order, parts, stage, cut.Fullness(order, parts, stage));
    }

    private static string Names(CrewNeeds needs, int[] parts, int stages, int stage) => string.Join(", ", NodeCut.Ranges(parts, stages, stage).Select(range =>
        range.End - range.First == 1 ? needs.Units[range.First] : $"{needs.Units[range.First]} … {needs.Units[range.End - 1]}"));
}
