using MessagePack;

namespace ActorTrainer.Actors.Protocol;

/// <summary>A fact in the journal of a cluster.</summary>
public interface IClusterEvent : IWire;

/// <summary>The journal of a cluster, extend-only. What happens inside a run is in the run's own journal, see <see cref="RunEvents"/>.</summary>
public static class ClusterEvents
{
    /// <summary>A coordinator has begun to work.</summary>
    /// <param name="Term">Counts take-overs; nodes follow the highest.</param>
    [MessagePackObject]
    public sealed record TookOver([property: Key(0)] long Term) : IClusterEvent;

    /// <summary>A client wants a run; whoever is coordinator works on it until it has ended.</summary>
    /// <param name="Name">Name of the run.</param>
    /// <param name="Settings">All settings, one <c>key=value</c> a line.</param>
    [MessagePackObject]
    public sealed record Submitted(
        [property: Key(0)] string Name,
        [property: Key(1)] string Settings) : IClusterEvent;

    /// <summary>A run has ended, for now: it may be submitted again.</summary>
    [MessagePackObject]
    public sealed record Ended(
        [property: Key(0)] string Name,
        [property: Key(1)] RunProtocol.Outcome Outcome) : IClusterEvent;

    /// <summary>What nodes are to keep of the run that ended last; those that were away then are told when they come back.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Step">Step of its last checkpoint.</param>
    /// <param name="Hashes">Objects to keep.</param>
    [MessagePackObject]
    public sealed record Kept(
        [property: Key(0)] string Run,
        [property: Key(1)] long Step,
        [property: Key(2)] IReadOnlyList<string> Hashes) : IClusterEvent;
}
