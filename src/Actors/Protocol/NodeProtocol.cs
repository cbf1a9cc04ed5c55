using MessagePack;

namespace ActorTrainer.Actors.Protocol;

/// <summary>Messages between the coordinator singleton and the agents of nodes (<c>/user/node</c>). Any of them may be lost, come twice or late.</summary>
public static class NodeProtocol
{
    /// <summary>Name of the agent's actor on every node.</summary>
    public const string AgentName = "node";

    /// <summary>Here is the coordinator; say who you are. Sent several times a second to every known address.</summary>
    /// <param name="Term">Number of the take-over; agents follow the highest.</param>
    /// <param name="Number">Counts up with every announcement of a term.</param>
    [MessagePackObject]
    public sealed record Announce(
        [property: Key(0)] long Term,
        [property: Key(1)] long Number) : IWire;

    /// <summary>An agent's answer to <see cref="Announce"/>.</summary>
    /// <param name="Term">Term that is answered.</param>
    /// <param name="Number">Announcement that is answered.</param>
    /// <param name="Node">Who answers.</param>
    [MessagePackObject]
    public sealed record Beat(
        [property: Key(0)] long Term,
        [property: Key(1)] long Number,
        [property: Key(2)] NodeReport Node) : IWire;

    /// <summary>Keep a stage actor ready for an attempt of a run.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt; an agent ignores one below the highest it has seen of the run.</param>
    /// <param name="Hashes">Objects of the checkpoint that the attempt begins at.</param>
    [MessagePackObject]
    public sealed record Engage(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] IReadOnlyList<string> Hashes) : IAttemptMessage;

    /// <summary>A stage actor waits for its <see cref="StageProtocol.Prepare"/>, or the node holds objects only (no role of a stage).</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="Node">Who answers.</param>
    /// <param name="Actor">Path of the stage actor with address; empty on a node without the role of a stage.</param>
    /// <param name="Holds">Those of the asked hashes that the node holds.</param>
    [MessagePackObject]
    public sealed record Engaged(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] NodeReport Node,
        [property: Key(3)] string Actor,
        [property: Key(4)] IReadOnlyList<string> Holds) : IAttemptMessage;

    /// <summary>Objects of a run that are neither named here nor of a later save may go.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Incarnation">Process meant; another one ignores it.</param>
    /// <param name="Step">Step of the newest checkpoint.</param>
    /// <param name="Hashes">Objects to keep.</param>
    /// <param name="Ended">True: the run has ended, its stage actor may stop.</param>
    [MessagePackObject]
    public sealed record Keep(
        [property: Key(0)] string Run,
        [property: Key(1)] string Incarnation,
        [property: Key(2)] long Step,
        [property: Key(3)] IReadOnlyList<string> Hashes,
        [property: Key(4)] bool Ended) : IWire;

    /// <summary>
    /// Which cluster the sender belongs to. Sent now and then to seeds that are no members, so that two clusters that formed apart find
    /// each other.
    /// </summary>
    /// <param name="Members">Every member as host:port#uid.</param>
    [MessagePackObject]
    public sealed record Probe([property: Key(0)] IReadOnlyList<string> Members) : IWire;
}

/// <summary>What a node says of itself.</summary>
/// <param name="Name">Configured name, the same after a restart.</param>
/// <param name="Incarnation">Random id of the process.</param>
/// <param name="Roles">coordinator, stage, evaluator.</param>
/// <param name="DataAddress">host:port of its data plane.</param>
/// <param name="Cores">Cores it may use.</param>
/// <param name="MemoryBytes">Memory that a stage may use there.</param>
/// <param name="Speed">Measured GFLOP/s of the products of a stage with one thread.</param>
/// <param name="Doing">Run and stage it plays, for people; empty when idle.</param>
[MessagePackObject]
public sealed record NodeReport(
    [property: Key(0)] string Name,
    [property: Key(1)] string Incarnation,
    [property: Key(2)] IReadOnlyList<string> Roles,
    [property: Key(3)] string DataAddress,
    [property: Key(4)] int Cores,
    [property: Key(5)] long MemoryBytes,
    [property: Key(6)] double Speed,
    [property: Key(7)] string Doing)
{
    /// <summary>Roles that a node can have.</summary>
    public static class Role
    {
        public const string Coordinator = "coordinator";
        public const string Stage = "stage";
        public const string Evaluator = "evaluator";
    }

    /// <summary>Whether the node plays stages.</summary>
    [IgnoreMember]
    public bool IsStage => Roles.Contains(Role.Stage);
}
