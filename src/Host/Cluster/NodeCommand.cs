using ActorTrainer.Actors.Nodes;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster;

/// <summary><c>node role=…</c>: one node of a cluster, until it is stopped.</summary>
internal static class NodeCommand
{
    /// <summary>Joins, says so, and leaves when it is stopped.</summary>
    public static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var roles = NodeRoles.Parse(context.Option("role"));
        var options = Options(context.Run.Cluster);
        var lines = new Lock();
        void Say(string text)
        {
            lock (lines)
            {
                context.Out.WriteLine($"{DateTime.Now:HH:mm:ss} {text}");
                context.Out.Flush();
            }
        }

        var preparation = new ClusterPreparation(ConfigLibrary.Open(context.Option("--config-dir")), options.Folder, Say);
        await Task.CompletedTask.ConfigureAwait(false);
        throw new NotSupportedException($"{preparation}{stop}");
    }

    /// <summary>The node's options with its folder made absolute, checked for what only a node needs.</summary>
    /// <exception cref="RefusedException">Settings that do not go together.</exception>
    internal static ClusterOptions Options(ClusterOptions options)
    {
        if (options.Seeds.Count == 0)
        {
            throw new RefusedException(
                "cluster.seeds is empty: a node needs the addresses of one or more nodes to find its cluster by, its own among them when it is the first. Add cluster=local or cluster.seeds=[host:port,…].");
        }

        if (options.Tls && (options.Certificate.Length == 0 || options.Authority.Length == 0))
        {
            throw new RefusedException(
                "cluster.tls=true needs cluster.certificate and cluster.authority, the PEM files of this node and of the cluster's authority. `actortrainer certificates` makes them for trying out.");
        }

        return options with { Folder = Path.GetFullPath(options.Folder) };
    }
}
