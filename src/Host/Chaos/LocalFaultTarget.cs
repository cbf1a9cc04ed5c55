using ActorTrainer.Host.Cluster.Local;

namespace ActorTrainer.Host.Chaos;

/// <summary>Faults on a local cluster.</summary>
/// <param name="cluster">Its processes.</param>
/// <param name="nodes">Names of all nodes.</param>
/// <param name="network">The network they are in; null: none that can be cut.</param>
internal sealed class LocalFaultTarget(LocalCluster cluster, IReadOnlyList<string> nodes, NetworkNamespaces? network) : IFaultTarget
{
    public IReadOnlyList<string> Nodes => nodes;

    public bool CanCut => network is not null;

    public string FolderOf(string node) => cluster.FolderOf(node);

    public bool Kill(string node) => cluster.Kill(node);

    public bool Pause(string node) => cluster.Pause(node);

    public bool Resume(string node) => cluster.Resume(node);

    public void Hold(string node) => cluster.Hold(node);

    public void Release(string node) => cluster.Release(node);

    public Task Slow(string node, double share, TimeSpan duration, CancellationToken cancellation) => cluster.Slow(node, share, duration, cancellation);

    public void Cut(string a, string b) => network!.Cut(ClusterLayout.IndexOf(a), ClusterLayout.IndexOf(b));

    public void Heal(string a, string b) => network!.Heal(ClusterLayout.IndexOf(a), ClusterLayout.IndexOf(b));
}
