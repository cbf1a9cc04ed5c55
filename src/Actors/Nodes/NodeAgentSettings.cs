using ActorTrainer.Actors.Protocol;
using Akka.Actor;

namespace ActorTrainer.Actors.Nodes;

/// <summary>What an agent works with.</summary>
public sealed record NodeAgentSettings
{
    /// <summary>The node; <see cref="NodeReport.Doing"/> is filled in by the agent.</summary>
    public required NodeReport Node { get; init; }

    /// <summary>How to make the stage actor of a run.</summary>
    public required Func<string, Props> StageProps { get; init; }

    /// <summary>Those of the hashes that the node holds for a run; may block.</summary>
    public required Func<string, IReadOnlyList<string>, IReadOnlyList<string>> Holds { get; init; }

    /// <summary>Frees objects; may block.</summary>
    public required Action<NodeProtocol.Keep> Keep { get; init; }

    /// <summary>Members of the node's cluster as host:port#uid; empty while it has not joined one.</summary>
    public required Func<IReadOnlyList<string>> Members { get; init; }

    /// <summary>Seeds that might belong to another cluster.</summary>
    public IReadOnlyList<Address> Seeds { get; init; } = [];

    /// <summary>Ends the process, with a reason for its log; whoever started it starts it again.</summary>
    public required Action<string> End { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Time after which a coordinator that is not heard of any more is forgotten: any other is followed then, whatever its term.</summary>
    public TimeSpan CoordinatorMemory { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between two probes for other clusters.</summary>
    public TimeSpan ProbeEvery { get; init; } = TimeSpan.FromSeconds(2);
}
