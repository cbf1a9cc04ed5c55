using ActorTrainer.Actors.Protocol;
using Akka.Actor;

namespace ActorTrainer.Actors.Crew;

/// <summary>Messages between a run's crew and whoever knows the nodes; in one process.</summary>
public static class RegistryProtocol
{
    /// <summary>Tell me the nodes, now and whenever they change.</summary>
    public sealed record Subscribe : INoSerializationVerificationNeeded;

    /// <summary>The nodes there are.</summary>
    /// <param name="Usable">Nodes that beat.</param>
    /// <param name="Hold">Why no work may be done (this side is a minority), null when it may.</param>
    public sealed record Nodes(IReadOnlyList<KnownNode> Usable, string? Hold) : INoSerializationVerificationNeeded;
}

/// <summary>A node and how to reach its agent.</summary>
/// <param name="Report">What it last said of itself.</param>
/// <param name="Agent">Its agent.</param>
public sealed record KnownNode(NodeReport Report, IActorRef Agent);
