namespace ActorTrainer.Host.Cluster.Local;

/// <summary>What has become of a node's process.</summary>
internal enum NodeEventKind
{
    /// <summary>A process that an earlier supervisor left was ended.</summary>
    LeftoverEnded,
    Started,
    Ended,
    Failed,
    Killed,
    Paused,
    Resumed,
    Held,
    Stopped,
}

/// <summary>One event of a <see cref="LocalCluster"/>.</summary>
/// <param name="Node">Name of the node.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Text">The same for people, with numbers.</param>
internal sealed record NodeEvent(string Node, NodeEventKind Kind, string Text)
{
    /// <summary>One line.</summary>
    public override string ToString() => $"{Node}: {Text}";
}
