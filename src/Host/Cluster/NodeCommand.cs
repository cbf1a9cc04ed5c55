using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Cluster.Local;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster;

/// <summary><c>node role=…</c>: one node of a cluster, until it is stopped.</summary>
internal static class NodeCommand
{
    private static readonly TimeSpan PagePatience = TimeSpan.FromSeconds(5);

    /// <summary>Joins, says so, and leaves when it is stopped.</summary>
    /// <returns>0 when it was stopped, 1 when it ended otherwise: whoever supervises it starts it again.</returns>
    public static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var roles = NodeRoles.Parse(context.Option("role"));
        var options = Options(context.Run.Cluster);
        var library = ConfigLibrary.Open(context.Option("--config-dir"));
        var gate = new Lock();
        void Say(string text)
        {
            lock (gate)
            {
                context.Out.WriteLine($"{DateTime.Now:HH:mm:ss} {text}");
                context.Out.Flush();
            }
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var parent = ParentWatch.Begin(ending.Cancel, TimeProvider.System);
        using var meter = new Meter(MetricsPage.MeterName);
        using var contexts = new CkksContexts();
        var node = ClusterNode.Start(new ClusterNodeSettings
        {
            Options = options,
            Roles = roles,
            Preparation = new ClusterPreparation(library, options.Folder, contexts, Say, new RunMeters(meter)),
            Computation = (store, network) => new RecipeStage(recipe => Computation(recipe, store, contexts, network, Say)),
            Reader = new AnyPayloadReader(new TensorPayloadReader((long)options.MaxPayload << 20), new CipherPayloadReader(contexts)),
            MeasureSpeed = NodeSpeed.Measure,
            LogFile = Path.Combine(options.Folder, "actors.log"),
        });
        await using (node.ConfigureAwait(false))
        {
            NodeMeters.Attach(meter, () => Reading(node.Plane), () => node.Peers);
            using var page = Page(options, meter);
            Say($"node {node.Name} is up as {string.Join(", ", roles)}: messages {node.Address}, data {node.DataAddress}"
                + (page is null ? "" : $", metrics http://{page.Endpoint}/metrics"));
            await Task.WhenAny(node.Ended, Task.Delay(Timeout.InfiniteTimeSpan, ending.Token)).ConfigureAwait(false);
            if (!node.Ended.IsCompleted)
            {
                Say($"node {node.Name} leaves the cluster");
                await node.Leave().ConfigureAwait(false);
            }

            var reason = await node.Ended.ConfigureAwait(false);
            Say($"node {node.Name} has ended{(reason.Length > 0 ? ": " + reason : "")}");
            return ending.IsCancellationRequested ? App.Done : App.Failed;
        }
    }

    /// <summary>What a run's stages compute on this node: tensors, or ciphertexts that the data owner at the recipe's address lifts.</summary>
    private static IStageComputation Computation(string recipe, IObjectStore store, CkksContexts contexts, IPeerNetwork network, Action<string> say) =>
        EncryptedRecipe.IsOne(recipe)
            ? new EncryptedStage(store, contexts, (own, context) => EncryptedLinks.Of(own, context, network, say))
            : new TensorStage(store);

    /// <summary>The node's options with its folder made absolute, checked for what only a node needs.</summary>
    /// <exception cref="RefusedException">Settings that do not go together.</exception>
    internal static ClusterOptions Options(ClusterOptions options)
    {
        if (options.Seeds.Count == 0)
        {
            throw new RefusedException(
                "cluster.seeds is empty: a node needs the addresses of one or more nodes to find its cluster by, its own among them when it is the first. Add cluster=local or cluster.seeds=host:port,….");
        }

        if (options.Tls && (options.Certificate.Length == 0 || options.Authority.Length == 0))
        {
            throw new RefusedException(
                "cluster.tls=true needs cluster.certificate and cluster.authority, the PEM files of this node and of the cluster's authority. `actortrainer certificates` makes them for trying out.");
        }

        return options with
        {
            Folder = Path.GetFullPath(options.Folder),
            SharedStore = options.SharedStore.Length > 0 ? Path.GetFullPath(options.SharedStore) : "",
        };
    }

    private static MetricsPage? Page(ClusterOptions options, Meter meter)
    {
        if (options.MetricsPort == 0)
        {
            return null;
        }

        try
        {
            var address = IPAddress.TryParse(options.Address, out var given) ? given : Dns.GetHostAddresses(options.Address)[0];
            return new MetricsPage(address, options.MetricsPort, meter, PagePatience);
        }
        catch (SocketException e)
        {
            throw new RefusedException(
                $"cluster.metrics_port={options.MetricsPort} on {options.Address} cannot be used: {e.Message}. Give the node another port, or 0 for no page.", e);
        }
    }

    private static DataPlaneReading Reading(ActorTrainer.Actors.DataPlane.Tcp.PlaneCounters plane) => new(
        plane.BytesSent, plane.BytesReceived, plane.FramesSent, plane.FramesReceived, plane.Stale, plane.Resumed, plane.Queued, plane.Links);
}
