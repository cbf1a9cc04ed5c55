using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Chaos;

/// <summary>Which faults hit a run, and when: a pure function of its seed and the nodes.</summary>
internal sealed record FaultPlan
{
    /// <summary>Steps before the first fault, so that there is something to lose.</summary>
    public const long FirstStep = 3;

    /// <summary>Steps after the last fault, so that the run has to recover from it.</summary>
    public const long Tail = 3;

    /// <summary>Least steps between two faults.</summary>
    public const long Spacing = 2;

    /// <summary>A partition lasts this long.</summary>
    public static readonly TimeSpan PartitionTime = TimeSpan.FromSeconds(10);

    /// <summary>A slow node is slow for this long.</summary>
    public static readonly TimeSpan SlowTime = TimeSpan.FromSeconds(5);

    /// <summary>Share of its time that a slow node gets.</summary>
    public const double SlowShare = 0.3;

    /// <summary>Share of each kind beyond the first round; coordinator kills come at least twice in ten.</summary>
    private static readonly (FaultKind Kind, int Weight)[] Weights =
    [
        (FaultKind.KillStage, 6), (FaultKind.KillCoordinator, 3), (FaultKind.KillTwo, 2), (FaultKind.Pause, 2), (FaultKind.CutLink, 3),
        (FaultKind.Partition, 1), (FaultKind.Slow, 2), (FaultKind.Hold, 2), (FaultKind.KillDuringCheckpoint, 3),
    ];

    /// <summary>What a short plan holds first.</summary>
    private static readonly FaultKind[] Order =
    [
        FaultKind.KillStage, FaultKind.Partition, FaultKind.KillCoordinator, FaultKind.KillDuringCheckpoint, FaultKind.CutLink,
        FaultKind.KillTwo, FaultKind.Pause, FaultKind.Hold, FaultKind.Slow, FaultKind.KillCoordinator,
    ];

    /// <summary>Faults in the order in which they fire.</summary>
    public required IReadOnlyList<Fault> Faults { get; init; }

    /// <summary>Steps a run needs for that many faults.</summary>
    public static long StepsFor(int faults) => FirstStep + faults * Spacing + Tail;

    /// <summary>Draws a plan.</summary>
    /// <param name="seed">Equal seeds and nodes give equal plans.</param>
    /// <param name="count">Faults.</param>
    /// <param name="steps">Steps of the run.</param>
    /// <param name="coordinators">Nodes that can coordinate.</param>
    /// <param name="stages">Nodes that play stages; two at least, since links and pairs need two.</param>
    /// <exception cref="RefusedException">The run is too short for so many faults, or there are too few nodes.</exception>
    public static FaultPlan Draw(ulong seed, int count, long steps, IReadOnlyList<string> coordinators, IReadOnlyList<string> stages)
    {
        if (steps < StepsFor(count))
        {
            throw new RefusedException(
                $"{count} faults need a run of at least {StepsFor(count)} steps ({Spacing} apart, {FirstStep} before and {Tail} after), found steps={steps}. "
                + "Raise steps or lower faults.");
        }

        if (stages.Count < 2 || coordinators.Count < 1)
        {
            throw new RefusedException($"A fault plan needs 2 stage nodes and a coordinator, found {stages.Count} and {coordinators.Count}. Raise nodes.");
        }

        var kinds = Kinds(seed, count);
        var room = steps - FirstStep - Tail;
        return new FaultPlan
        {
            Faults = [.. kinds.Select((kind, i) =>
            {
                // Each fault has a stretch of its own; it fires in the part that keeps its distance from the next one's.
                var (from, to) = (FirstStep + (room * i / count), FirstStep + (room * (i + 1) / count));
                var random = CounterRandom.Of(seed, RandomPurpose.Faults, i + 1);
                return Place(i + 1, kind, from + random.NextLong(Math.Max(1, to - from - Spacing + 1)), ref random, coordinators, stages);
            })],
        };
    }

    /// <summary>The first round by order, the rest by weight, then shuffled.</summary>
    private static FaultKind[] Kinds(ulong seed, int count)
    {
        var random = CounterRandom.Of(seed, RandomPurpose.Faults);
        var kinds = Order.Take(count).ToList();
        while (kinds.Count < count)
        {
            var at = random.NextInt(Weights.Sum(w => w.Weight));
            kinds.Add(Weights.First(w => (at -= w.Weight) < 0).Kind);
        }

        for (var i = count - 1; i > 0; i--)
        {
            var j = random.NextInt(i + 1);
            (kinds[i], kinds[j]) = (kinds[j], kinds[i]);
        }

        return [.. kinds];
    }

    private static Fault Place(
        int number, FaultKind kind, long at, ref CounterRandom random, IReadOnlyList<string> coordinators, IReadOnlyList<string> stages)
    {
        IReadOnlyList<string> all = [.. coordinators, .. stages];
        return kind switch
        {
            FaultKind.KillCoordinator => new(number, kind, at, [Pick(coordinators, ref random)], TimeSpan.Zero),
            FaultKind.KillTwo => new(number, kind, at, Two(all, ref random), Seconds(0, 1.5, ref random)),
            FaultKind.Pause => new(number, kind, at, [Pick(all, ref random)], Seconds(3, 6, ref random)),
            FaultKind.CutLink => new(number, kind, at, Two(all, ref random), Seconds(2, 8, ref random)),
            FaultKind.Partition => new(number, kind, at, [Pick(all, ref random)], PartitionTime),
            FaultKind.Slow => new(number, kind, at, [Pick(stages, ref random)], SlowTime),
            FaultKind.Hold => new(number, kind, at, [Pick(stages, ref random)], Seconds(4, 8, ref random)),
            _ => new(number, kind, at, [Pick(stages, ref random)], TimeSpan.Zero),
        };
    }

    private static string Pick(IReadOnlyList<string> nodes, ref CounterRandom random) => nodes[random.NextInt(nodes.Count)];

    private static IReadOnlyList<string> Two(IReadOnlyList<string> nodes, ref CounterRandom random)
    {
        var first = random.NextInt(nodes.Count);
        var second = (first + 1 + random.NextInt(nodes.Count - 1)) % nodes.Count;
        return [nodes[first], nodes[second]];
    }

    /// <summary>In tenths of a second.</summary>
    private static TimeSpan Seconds(double from, double to, ref CounterRandom random) =>
        TimeSpan.FromSeconds(from + (random.NextInt((int)((to - from) * 10) + 1) / 10.0));
}
