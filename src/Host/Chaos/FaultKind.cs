namespace ActorTrainer.Host.Chaos;

/// <summary>What is done to a cluster.</summary>
internal enum FaultKind
{
    /// <summary><c>kill -9</c> of a stage node.</summary>
    KillStage,

    /// <summary><c>kill -9</c> of a node that coordinates.</summary>
    KillCoordinator,

    /// <summary><c>kill -9</c> of two nodes, the second while the cluster notices the first.</summary>
    KillTwo,

    /// <summary>A node stands still for seconds and goes on.</summary>
    Pause,

    /// <summary>The link between two nodes loses everything for seconds.</summary>
    CutLink,

    /// <summary>One node is cut from all others.</summary>
    Partition,

    /// <summary>A node gets a share of its time only.</summary>
    Slow,

    /// <summary>A node leaves without a word and joins again later.</summary>
    Hold,

    /// <summary><c>kill -9</c> of a stage node while it writes a unit state.</summary>
    KillDuringCheckpoint,
}
