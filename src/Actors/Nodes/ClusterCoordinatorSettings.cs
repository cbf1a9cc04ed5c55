using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.Telemetry;
using Akka.Actor;

namespace ActorTrainer.Actors.Nodes;

/// <summary>What a cluster's coordinator offers to a run.</summary>
/// <param name="Registry">Who knows the nodes; see <see cref="RegistryProtocol"/>.</param>
/// <param name="Usable">The nodes that can be used now; called from any thread.</param>
/// <param name="Observer">To be told what happens.</param>
public sealed record RunSurroundings(IActorRef Registry, Func<IReadOnlyList<KnownNode>> Usable, IRunObserver Observer);

/// <summary>What a coordinator of a cluster works with.</summary>
public sealed record ClusterCoordinatorSettings
{
    /// <summary>Name of its node, for people.</summary>
    public required string Node { get; init; }

    /// <summary>Makes a run from what was submitted.</summary>
    public required IRunPreparation Preparation { get; init; }

    /// <summary>What the coordinator of a prepared run works with. Called off the dispatcher.</summary>
    public required Func<PreparedRun, RunSurroundings, RunServices> Services { get; init; }

    /// <summary>The cluster's members now.</summary>
    public required Func<ClusterView> View { get; init; }

    /// <summary>Addresses to announce to, whoever is a member.</summary>
    public IReadOnlyList<Address> Seeds { get; init; } = [];

    public required TimeProvider Time { get; init; }

    /// <summary>Time without an answer after which a node is lost.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Time between two announcements.</summary>
    public TimeSpan AnnounceEvery { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Time that a client that looks on is told what happens without asking again.</summary>
    public TimeSpan WatchLease { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time that a run has for saying what it does.</summary>
    public TimeSpan StatusPatience { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>Time after which the coordinator of a run that ended unexpectedly is made again.</summary>
    public TimeSpan RestartAfter { get; init; } = TimeSpan.FromSeconds(1);
}
