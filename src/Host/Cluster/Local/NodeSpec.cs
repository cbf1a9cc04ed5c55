namespace ActorTrainer.Host.Cluster.Local;

/// <summary>What a <see cref="LocalCluster"/> runs as one of its nodes.</summary>
/// <param name="Name">Name of the node, also of its folder.</param>
/// <param name="File">Executable.</param>
/// <param name="Words">Its command line.</param>
internal sealed record NodeSpec(string Name, string File, IReadOnlyList<string> Words);
