namespace ActorTrainer.Host.Chaos;

/// <summary>What faults can be done to.</summary>
internal interface IFaultTarget
{
    /// <summary>All nodes.</summary>
    IReadOnlyList<string> Nodes { get; }

    /// <summary>Whether links can be cut; otherwise a node is paused instead.</summary>
    bool CanCut { get; }

    /// <summary>Folder of a node.</summary>
    string FolderOf(string node);

    /// <summary><c>kill -9</c>; false when the node does not run at the moment.</summary>
    bool Kill(string node);

    /// <summary>Stops a node where it is.</summary>
    bool Pause(string node);

    /// <summary>Lets it go on.</summary>
    bool Resume(string node);

    /// <summary>Kills a node and keeps it away.</summary>
    void Hold(string node);

    /// <summary>Lets it come back.</summary>
    void Release(string node);

    /// <summary>Gives a node a share of its time for a while.</summary>
    Task Slow(string node, double share, TimeSpan duration, CancellationToken cancellation);

    /// <summary>Loses what two nodes send each other.</summary>
    void Cut(string a, string b);

    /// <summary>Undoes <see cref="Cut"/>.</summary>
    void Heal(string a, string b);
}
