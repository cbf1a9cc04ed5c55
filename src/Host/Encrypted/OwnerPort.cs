using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Encrypted;

/// <summary>The port at which stages reach the data owner, or a helper, under the rules of the cluster's data plane: its secret, and its certificates with TLS.</summary>
internal static class OwnerPort
{
    /// <summary>Refuses settings that do not say where the owner is, unless nobody asks for it.</summary>
    /// <exception cref="RefusedException">he.owner is empty.</exception>
    public static void Require(HeOptions he)
    {
        if (he.Owner.Length == 0 && he.Refresh != RefreshKind.Bootstrap)
        {
            throw new RefusedException("he.owner is empty: the stages of a cluster ask the data owner for refreshes, so say where they reach this process: he.owner=host:port, an address of this machine and a free port; or have the stages bootstrap, with he=bootstrap.");
        }
    }

    /// <summary>Takes the port; nobody is admitted before <see cref="IPeerNetwork.Listen"/>.</summary>
    /// <param name="cluster">The owner's view of the cluster: secret, certificate, name.</param>
    /// <param name="address">host:port.</param>
    /// <param name="refused">Told why connections were not admitted.</param>
    /// <param name="isHelper">Whether it is a helper's, which is named by listen instead of he.owner.</param>
    /// <exception cref="RefusedException">The address is none, not protected, or not free.</exception>
    public static PeerNetwork Open(ClusterOptions cluster, string address, Action<string> refused, bool isHelper = false)
    {
        try
        {
            var (host, port) = PeerAddress.Parse(address);
            NodeSystem.CheckProtected(cluster with { Address = host });
            return new PeerNetwork(new PeerSettings
            {
                Node = cluster.Node.Length > 0 ? cluster.Node : $"{(isHelper ? "helper" : "owner")}@{address}",
                Incarnation = Guid.NewGuid().ToString("N"),
                Address = host,
                Port = port,
                Secret = NodeSecurity.Secret(cluster),
                Tls = NodeSecurity.Identity(cluster),
                Refused = refused,
            });
        }
        catch (RefusedException e)
        {
            throw new RefusedException($"{(isHelper ? "listen" : "he.owner")}={address}: {e.Message}", e);
        }
    }
}
