using ActorTrainer.Actors.Schedules;

namespace ActorTrainer.Actors.Crew;

/// <summary>Cuts the model over nodes in a given order. Costs come from prefix sums, so that many orders can be tried.</summary>
internal sealed class NodeCut
{
    private readonly CrewNeeds _needs;
    private readonly double[] _seconds;
    private readonly long[] _fixed;
    private readonly long[] _activation;

    public NodeCut(CrewNeeds needs)
    {
        _needs = needs;
        var units = needs.Units.Count;
        (_seconds, _fixed, _activation) = (new double[units + 1], new long[units + 1], new long[units + 1]);
        for (var i = 0; i < units; i++)
        {
            _seconds[i + 1] = _seconds[i] + needs.UnitSeconds[i];
            _fixed[i + 1] = _fixed[i] + needs.UnitMemory[i].Fixed;
            _activation[i + 1] = _activation[i] + needs.UnitMemory[i].Activation;
        }
    }

    private int Units => _needs.Units.Count;

    /// <summary>The cut with the fastest slowest stage that fits, and among those the most even one; null when none fits.</summary>
    public int[]? Fastest(IReadOnlyList<PlacementNode> order)
    {
        if (_needs.Chunks > 1)
        {
            return Climb(order, (cut, stage) => Fits(order, cut, stage) ? Seconds(order, cut, stage) : double.PositiveInfinity);
        }

        double Time(int s, int a, int b) =>
            Memory(s, order.Count, a, b).Bytes <= order[s].MemoryBytes ? (_seconds[b] - _seconds[a]) / order[s].Speed : double.PositiveInfinity;

        if (Best(order.Count, Time, Math.Max) is not { } fastest)
        {
            return null;
        }

        return Best(order.Count, (s, a, b) => Time(s, a, b) is var time && time <= fastest.Cost ? time * time : double.PositiveInfinity, (x, y) => x + y)?.Cut;
    }

    /// <summary>The cut whose fullest node is least full, whether it fits or not.</summary>
    public int[] Emptiest(IReadOnlyList<PlacementNode> order) => _needs.Chunks > 1
        ? Climb(order, (cut, stage) => Fullness(order, cut, stage))!
        : Best(order.Count, (s, a, b) => Memory(s, order.Count, a, b).Bytes / Math.Max(1.0, order[s].MemoryBytes), Math.Max)!.Value.Cut;

    /// <summary>Memory of a stage over the memory of its node.</summary>
    public double Fullness(IReadOnlyList<PlacementNode> order, IReadOnlyList<int> cut, int stage) =>
        Memory(order.Count, cut, stage).Bytes / Math.Max(1.0, order[stage].MemoryBytes);

    /// <summary>Whether a stage of a cut fits its node.</summary>
    public bool Fits(IReadOnlyList<PlacementNode> order, IReadOnlyList<int> cut, int stage) =>
        Memory(order.Count, cut, stage).Bytes <= order[stage].MemoryBytes;

    /// <summary>Seconds of a stage of a cut on its node.</summary>
    public double Seconds(IReadOnlyList<PlacementNode> order, IReadOnlyList<int> cut, int stage) =>
        Ranges(cut, order.Count, stage).Sum(range => _seconds[range.End] - _seconds[range.First]) / order[stage].Speed;

    /// <summary>Memory of a stage of a cut.</summary>
    public StageMemory Memory(int stages, IReadOnlyList<int> cut, int stage)
    {
        var (all, largest) = (_needs.StageMemory, 0L);
        foreach (var (first, end) in Ranges(cut, stages, stage))
        {
            all += _fixed[end] - _fixed[first];
            largest = Math.Max(largest, _activation[end] - _activation[first]);
        }

        return new StageMemory(all, largest, InFlight(stage, stages));
    }

    /// <summary>Units [First, End) of each part of a stage.</summary>
    public static IEnumerable<(int First, int End)> Ranges(IReadOnlyList<int> cut, int stages, int stage)
    {
        var first = 0;
        for (var part = 0; part < cut.Count; part++)
        {
            if (part % stages == stage)
            {
                yield return (first, first + cut[part]);
            }

            first += cut[part];
        }
    }

    private StageMemory Memory(int stage, int stages, int first, int end) =>
        new(_needs.StageMemory + _fixed[end] - _fixed[first], _activation[end] - _activation[first], InFlight(stage, stages));

    private int InFlight(int stage, int stages) =>
        ScheduleMath.MaxInFlight(_needs.Schedule, stage, stages, _needs.MicroBatches, _needs.Chunks);

    /// <summary>Exact: the best way to cut units i… over stages s…, under any order-preserving way to join costs.</summary>
    private (double Cost, int[] Cut)? Best(int stages, Func<int, int, int, double> cost, Func<double, double, double> join)
    {
        var best = new double[stages + 1, Units + 1];
        var cutAt = new int[stages + 1, Units + 1];
        for (var s = stages - 1; s >= 0; s--)
        {
            for (var i = s; i < Units; i++)
            {
                best[s, i] = double.PositiveInfinity;
                for (var end = s == stages - 1 ? Units : i + 1; end <= Units - (stages - 1 - s); end++)
                {
                    var own = cost(s, i, end);
                    var all = s == stages - 1 ? own : join(own, best[s + 1, end]);
                    if (all < best[s, i])
                    {
                        (best[s, i], cutAt[s, i]) = (all, end);
                    }
                }
            }
        }

        if (double.IsPositiveInfinity(best[0, 0]))
        {
            return null;
        }

        var cut = new int[stages];
        for (int s = 0, unit = 0; s < stages; unit = cutAt[s++, unit])
        {
            cut[s] = cutAt[s, unit] - unit;
        }

        return (best[0, 0], cut);
    }

    /// <summary>
    /// Several parts a stage: from an even cut, move one border by one unit as long as that helps. Good, not proven best. Null when the
    /// cut that is reached has a stage of infinite cost.
    /// </summary>
    private int[]? Climb(IReadOnlyList<PlacementNode> order, Func<IReadOnlyList<int>, int, double> cost)
    {
        var parts = order.Count * _needs.Chunks;
        var cut = Enumerable.Range(0, parts).Select(i => Units / parts + (i < Units % parts ? 1 : 0)).ToArray();
        var now = Score(cut);
        for (var better = true; better;)
        {
            better = false;
            for (var border = 0; border < 2 * (parts - 1); border++)
            {
                var (from, to) = border % 2 == 0 ? (border / 2, border / 2 + 1) : (border / 2 + 1, border / 2);
                if (cut[from] == 1)
                {
                    continue;
                }

                cut[from]--;
                cut[to]++;
                if (Score(cut) is var moved && moved.CompareTo(now) < 0)
                {
                    (now, better) = (moved, true);
                }
                else
                {
                    cut[from]++;
                    cut[to]--;
                }
            }
        }

        return now.Excess > 0 ? null : cut;

        // What does not fit counts first, by how much it does not: so the climb finds its way to what fits.
        (double Excess, double Slowest, double Squares) Score(int[] candidate)
        {
            var (excess, slowest, squares) = (0.0, 0.0, 0.0);
            for (var stage = 0; stage < order.Count; stage++)
            {
                var value = cost(candidate, stage);
                excess += double.IsPositiveInfinity(value) ? Fullness(order, candidate, stage) - 1 : 0;
                slowest = Math.Max(slowest, value);
                squares += value * value;
            }

            return (excess, slowest, squares);
        }
    }
}
