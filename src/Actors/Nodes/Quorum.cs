using Akka.Actor;
using Akka.Cluster;

namespace ActorTrainer.Actors.Nodes;

/// <summary>Members of the cluster as one of them sees them.</summary>
/// <param name="Members">Addresses of all members, this one included.</param>
/// <param name="Unreachable">Those that this side cannot reach.</param>
public sealed record ClusterView(IReadOnlyCollection<Address> Members, IReadOnlyCollection<Address> Unreachable);

/// <summary>Decides whether a coordinator may work: at most one side of a split cluster may.</summary>
public static class Quorum
{
    /// <summary>
    /// Why this side may not work, null when it may. It must reach a majority of the members; of two halves the one with the lowest
    /// address may, as in the cluster's own rule for which half stays.
    /// </summary>
    public static string? Hold(ClusterView view)
    {
        var reached = view.Members.Except(view.Unreachable).ToList();
        if (2 * reached.Count > view.Members.Count || view.Members.Count == 0)
        {
            return null;
        }

        return 2 * reached.Count == view.Members.Count && reached.Contains(view.Members.Order(Member.AddressOrdering).First())
            ? null
            : $"this side reaches only {reached.Count} of {view.Members.Count} nodes of the cluster, which is no majority";
    }
}
