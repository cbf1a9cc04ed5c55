using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Cli;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster;

/// <summary>How commands reach the cluster of their configuration.</summary>
internal static class ClusterAccess
{
    /// <summary>A connection to the cluster of <c>cluster.seeds</c>.</summary>
    /// <exception cref="RefusedException">Settings that cannot be used.</exception>
    public static ICluster Connect(CommandContext context) => new Remote(ClusterClient.Connect(context.Run.Cluster, TimeProvider.System));

    /// <summary>Refuses a command that names no cluster.</summary>
    /// <exception cref="RefusedException">There are no seeds.</exception>
    public static void RequireSeeds(CommandContext context)
    {
        if (context.Run.Cluster.Seeds.Count == 0)
        {
            throw new RefusedException("No cluster is named; add cluster=local, or cluster.seeds=host:port,… with the addresses of nodes.");
        }
    }

    private sealed class Remote(ClusterClient client) : ICluster
    {
        public Task Submit(string name, string settings, CancellationToken cancellation) => client.Submit(name, settings, cancellation);

        public Task<RunProtocol.Outcome> Follow(string name, IRunObserver observer, CancellationToken cancellation) =>
            client.Watch(name, observer, cancellation);

        public Task<ClientProtocol.Status> Status(CancellationToken cancellation) => client.Status(cancellation);

        public Task Stop(string name, CancellationToken cancellation) => client.Stop(name, cancellation);

        public ValueTask DisposeAsync() => client.DisposeAsync();
    }
}
