using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.Cluster.Local;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Chaos;

/// <summary>A local cluster under test and a client of it.</summary>
internal sealed class ChaosSession : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(0.3);

    private readonly ClusterLayout _layout;
    private readonly TimeProvider _time;
    private readonly LocalCluster _cluster;
    private readonly ClusterClient _client;

    private ChaosSession(ClusterLayout layout, TimeProvider time, LocalCluster cluster, ClusterClient client, IFaultTarget target) =>
        (_layout, _time, _cluster, _client, Target) = (layout, time, cluster, client, target);

    /// <summary>What faults are done to.</summary>
    public IFaultTarget Target { get; }

    /// <summary>Folder of the cluster.</summary>
    public string Folder => _layout.Folder;

    /// <summary>Processes of all nodes that ever ran and still do.</summary>
    public IReadOnlyList<ProcessIdentity> StillRunning => [.. _cluster.Ever.Where(process => process.IsAlive)];

    /// <summary>Starts the nodes and waits until all of them are known.</summary>
    /// <param name="layout">The cluster; its folder must be empty.</param>
    /// <param name="network">Network it is in; null: loopback.</param>
    /// <param name="time">Clock.</param>
    /// <param name="say">Told what becomes of processes.</param>
    /// <param name="cancellation">Gives up; nothing is left running.</param>
    /// <exception cref="RefusedException">The nodes do not come up.</exception>
    public static async Task<ChaosSession> Start(
        ClusterLayout layout, NetworkNamespaces? network, TimeProvider time, Action<string> say, CancellationToken cancellation)
    {
        var specs = layout.Specs(ProgramCommand.Current());
        if (network is not null)
        {
            specs = [.. specs.Select((spec, node) =>
            {
                IReadOnlyList<string> words = [.. network.Plan.Inside(node), spec.File, .. spec.Words];
                return spec with { File = words[0], Words = [.. words.Skip(1)] };
            })];
        }

        var cluster = new LocalCluster(layout.Folder, specs, time, onEvent: e => say(e.ToString()));
        var client = ClusterClient.Connect(
            new ClusterOptions { Seeds = layout.Seeds, Address = network?.Plan.Own ?? "127.0.0.1", Insecure = network is not null }, time, StartPatience,
            Path.Combine(layout.Folder, "client.log"));
        var session = new ChaosSession(layout, time, cluster, client, new LocalFaultTarget(cluster, [.. specs.Select(spec => spec.Name)], network));
        try
        {
            cluster.Start();
            await session.UntilComplete(cancellation).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Submits a run and looks on until it has ended.</summary>
    public async Task<RunProtocol.Outcome> Run(string name, string settings, IRunObserver observer, CancellationToken cancellation)
    {
        await _client.Submit(name, settings, cancellation).ConfigureAwait(false);
        return await _client.Watch(name, observer, cancellation).ConfigureAwait(false);
    }

    /// <summary>Waits until every node has beaten lately.</summary>
    /// <exception cref="RefusedException">Some did not come up in time; the message names their logs.</exception>
    public async Task UntilComplete(CancellationToken cancellation)
    {
        var began = _time.GetTimestamp();
        while (true)
        {
            var status = await _client.Status(cancellation).ConfigureAwait(false);
            var here = status.Nodes.Where(node => node.SecondsSinceBeat < 2).Select(node => node.Node.Name).ToHashSet();
            var missing = Target.Nodes.Where(node => !here.Contains(node)).ToList();
            if (missing.Count == 0)
            {
                return;
            }

            if (_time.GetElapsedTime(began) > StartPatience)
            {
                throw new RefusedException(
                    $"{string.Join(", ", missing)} did not come up in {StartPatience.TotalSeconds:0} s. See {Path.Combine(Folder, missing[0], NodeLog.Name)}.");
            }

            await Task.Delay(Poll, _time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until nodes have removed what an ended run no longer needs, at most some seconds; the audit tells what is left.</summary>
    public async Task Settle(CancellationToken cancellation)
    {
        var began = _time.GetTimestamp();
        while (ClusterAudit.Of(Folder) is not { Temporary.Count: 0, Orphans.Count: 0 } && _time.GetElapsedTime(began) < StopPatience)
        {
            await Task.Delay(Poll, _time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Ends all processes.</summary>
    public Task Stop() => _cluster.Stop(StopPatience);

    /// <summary>The run's folders, one on each node that can coordinate.</summary>
    public IEnumerable<string> RunFolders(string name) => RunFolders(Folder, name);

    /// <summary>The run's folders under a cluster's folder.</summary>
    public static IEnumerable<string> RunFolders(string folder, string name) =>
        Directory.EnumerateDirectories(folder, "n*").Select(node => ClusterPreparation.FolderOf(node, name)).Where(Directory.Exists);

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync().ConfigureAwait(false);
        await _client.DisposeAsync().ConfigureAwait(false);
    }
}
