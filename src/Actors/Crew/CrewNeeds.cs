using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Schedules;

namespace ActorTrainer.Actors.Crew;

/// <summary>What a run needs of the nodes it is placed on.</summary>
public sealed record CrewNeeds
{
    /// <summary>Names of all units, in order.</summary>
    public required IReadOnlyList<string> Units { get; init; }

    /// <summary>Seconds of a forward and backward of a micro-batch through each unit, on a node of speed 1.</summary>
    public required IReadOnlyList<double> UnitSeconds { get; init; }

    /// <summary>What each unit needs in memory.</summary>
    public required IReadOnlyList<UnitMemory> UnitMemory { get; init; }

    /// <summary>Bytes that every stage needs whatever its units.</summary>
    public long StageMemory { get; init; }

    /// <summary>Model parts on each stage.</summary>
    public int Chunks { get; init; } = 1;

    public ScheduleKind Schedule { get; init; } = ScheduleKind.OneForwardOneBackward;

    /// <summary>Most micro-batches of a step.</summary>
    public required int MicroBatches { get; init; }

    /// <summary>Units of every part as the user wants them, null or empty: chosen. Holds where there are nodes enough for it.</summary>
    public IReadOnlyList<int>? Cut { get; init; }

    /// <summary>Nodes that hold each unit state, the stage's own included.</summary>
    public int Copies { get; init; } = 2;

    /// <summary>Most stages; 0: as many as nodes can be used.</summary>
    public int Stages { get; init; }

    /// <summary>Nodes kept free to stand in for others, as long as another one plays.</summary>
    public int Spares { get; init; }

    /// <summary>How long to wait for a lost node before going on with fewer stages.</summary>
    public TimeSpan WaitForNode { get; init; }

    /// <summary>How long a node has to answer before an attempt begins without it; it is asked three times.</summary>
    public TimeSpan EngageTimeout { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>How long a better crew must be at hand before the stages move, and how long the first crew waits for further nodes.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long two nodes whose link broke are kept apart.</summary>
    public TimeSpan Suspicion { get; init; } = TimeSpan.FromSeconds(30);
}
