using System.Net;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.DataPlane.Tcp;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Actors.Persistence;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using Akka.Event;

namespace ActorTrainer.Actors.Nodes;

/// <summary>One node of a cluster in this process: its actor system, data plane and objects.</summary>
public sealed class ClusterNode : IAsyncDisposable
{
    /// <summary>How long a node waits for the next bytes of an object from another one, which may have to read or write all of it meanwhile.</summary>
    private static readonly TimeSpan ObjectPatience = TimeSpan.FromSeconds(20);

    private readonly ClusterNodeSettings _settings;
    private readonly ClusterOptions _options;
    private readonly ActorSystem _system;
    private readonly PeerNetwork _network;
    private readonly TcpDataPlane _plane;
    private readonly NodeStore _store;
    private readonly ObjectClient? _objects;
    private readonly RunClock _clock;
    private readonly double _speed;
    private volatile string _reason = "";
    private volatile bool _leaving;

    private ClusterNode(ClusterNodeSettings settings, ActorSystem system)
    {
        (_settings, _options, _system) = (settings, settings.Options, system);
        var address = Cluster.Get(system).SelfAddress;
        Address = NodeAddress.Text(address);
        Name = _options.Node.Length > 0 ? _options.Node : $"{Dns.GetHostName()}:{address.Port}";
        var incarnation = Guid.NewGuid().ToString("N");
        _network = new PeerNetwork(new PeerSettings
        {
            Node = Name,
            Incarnation = incarnation,
            Address = _options.Address,
            Port = _options.DataPort,
            Secret = NodeSecurity.Secret(_options),
            Tls = NodeSecurity.Identity(_options),
            Refused = reason => system.Log.Warning("A connection to the data plane was refused: {0}", reason),
        });
        try
        {
            var largest = (long)_options.MaxPayload << 20;
            _clock = RunClock.Wall(settings.Time);
            _plane = new TcpDataPlane(_network, settings.Reader, new TcpDataPlaneOptions
            {
                MaxPayloadBytes = largest,
                LinkPatience = TimeSpan.FromSeconds(_options.LinkPatience),
            });
            _store = new NodeStore(_options.SharedStore.Length > 0 ? _options.SharedStore : Path.Combine(_options.Folder, "objects"));
            _objects = _options.SharedStore.Length > 0 ? null : new ObjectClient(_network, largest, ObjectPatience);
            _network.Serve(PeerPurpose.Objects, new ObjectServer(_store, _network.Counters, largest, ObjectPatience).Handle);
            _network.Listen();
            Ended = End();
            Join(new NodeReport(
                Name,
                incarnation,
                settings.Roles,
                _network.Address,
                _options.Cores > 0 ? _options.Cores : Environment.ProcessorCount,
                _options.Memory > 0 ? (long)_options.Memory << 20 : MachineMemory.Free(),
                _speed = settings.MeasureSpeed(),
                ""));
        }
        catch
        {
            _plane?.Dispose();
            _network.Dispose();
            throw;
        }
    }

    /// <summary>Name of the node.</summary>
    public string Name { get; }

    /// <summary>host:port of its Akka messages.</summary>
    public string Address { get; }

    /// <summary>host:port of its data plane.</summary>
    public string DataAddress => _network.Address;

    /// <summary>Counts of the data plane's port.</summary>
    public PeerCounters Peers => _network.Counters;

    /// <summary>What the data plane has moved.</summary>
    public PlaneCounters Plane => _plane.Counters;

    /// <summary>Completes when the node is no longer part of a cluster and everything is closed; the reason when it did not leave by itself, else empty.</summary>
    public Task<string> Ended { get; }

    /// <summary>Starts a node; blocks for a moment while the machine is measured.</summary>
    /// <exception cref="RefusedException">Settings that cannot be used: ports, folders, certificates, the journal.</exception>
    public static ClusterNode Start(ClusterNodeSettings settings)
    {
        var options = settings.Options;
        foreach (var seed in options.Seeds)
        {
            NodeAddress.Parse(seed, options.Tls);
        }

        NodeSystem.CheckProtected(options);
        Directory.CreateDirectory(options.Folder);
        var coordinates = settings.Roles.Contains(NodeReport.Role.Coordinator);
        var journal = coordinates ? Journals.Open(options.Journal, options.JournalConnection, options.Folder) : Config.Empty;
        var log = settings.LogFile.Length > 0 ? settings.LogFile : Path.Combine(options.Folder, "node.log");
        ActorSystem system;
        try
        {
            system = NodeSystem.Node(options, settings.Roles, journal, log, settings.Exits);
        }
        catch (Exception e) when (e is not RefusedException)
        {
            throw new RefusedException(
                $"cluster.address={options.Address}, cluster.port={options.Port} cannot be used: {(e.InnerException ?? e).Message}. "
                + "Is another node running there? Give this one another port, or 0 for any.", e);
        }

        try
        {
            return new ClusterNode(settings, system);
        }
        catch
        {
            ((ExtendedActorSystem)system).Abort();
            throw;
        }
    }

    /// <summary>Leaves the cluster: a coordinator is handed over, the others need not find out. Completes as <see cref="Ended"/>.</summary>
    public Task Leave()
    {
        _leaving = true;
        CoordinatedShutdown.Get(_system).Run(CoordinatedShutdown.ClusterLeavingReason.Instance);
        return Ended;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await Leave().ConfigureAwait(false);

    /// <summary>Falls silent without a word to the others, as a killed process does.</summary>
    internal Task Abort()
    {
        _leaving = true;
        _network.Dispose();
        ((ExtendedActorSystem)_system).Abort();
        return Ended;
    }

    private async Task<string> End()
    {
        await _system.WhenTerminated.ConfigureAwait(false);
        _plane.Dispose();
        _network.Dispose();
        return _reason;
    }

    private void Join(NodeReport report)
    {
        var cluster = Cluster.Get(_system);
        IReadOnlyList<Address> seeds = [.. _options.Seeds.Select(seed => NodeAddress.Parse(seed, _options.Tls))];
        var agent = new NodeAgentSettings
        {
            Node = report,
            StageProps = run =>
            {
                var objects = new ObjectExchange(_store, _objects, run);
                var stage = new StageSettings(_plane, objects, _clock);
                var computation = _settings.Computation(objects, _network);
                return Props.Create(() => new StageActor(stage, computation, $"stage-{Name}"));
            },
            Holds = _store.Holds,
            Keep = keep => _store.Keep(keep.Run, keep.Ended ? ContentStore.MaxGeneration : keep.Step, keep.Hashes),
            Members = () => [.. cluster.State.Members.Where(IsIn).Select(m => $"{NodeAddress.Text(m.Address)}#{m.UniqueAddress.Uid}")],
            Seeds = [.. seeds.Where(seed => seed != cluster.SelfAddress)],
            End = EndBecause,
            Time = _settings.Time,
        };
        _system.ActorOf(Props.Create(() => new NodeAgent(agent)), NodeProtocol.AgentName);
        if (_settings.Roles.Contains(NodeReport.Role.Coordinator))
        {
            _system.ActorOf(
                ClusterSingletonManager.Props(
                    ClusterCoordinator.Supervised(Coordinator(cluster, seeds)),
                    PoisonPill.Instance,
                    ClusterSingletonManagerSettings.Create(_system).WithRole(NodeReport.Role.Coordinator).WithSingletonName("cluster")),
                "singleton");
        }

        cluster.RegisterOnMemberRemoved(() => _reason = _reason.Length > 0 || _leaving ? _reason : "the cluster has removed this node");
        if (seeds.Count == 0)
        {
            cluster.Join(cluster.SelfAddress);
        }
        else
        {
            cluster.JoinSeedNodes(seeds);
        }
    }

    private ClusterCoordinatorSettings Coordinator(Cluster cluster, IReadOnlyList<Address> seeds) => new()
    {
        Node = Name,
        Preparation = _settings.Preparation,
        Services = Services,
        View = () =>
        {
            var state = cluster.State;
            return new ClusterView(
                [.. state.Members.Where(IsIn).Select(m => m.Address)], [.. state.Unreachable.Where(IsIn).Select(m => m.Address)]);
        },
        Seeds = seeds,
        Time = _settings.Time,
        Lease = TimeSpan.FromSeconds(_options.Lease),
    };

    private RunServices Services(PreparedRun run, RunSurroundings around)
    {
        var checkpoints = new ClusterCheckpoints(
            _store,
            _objects,
            () => [.. around.Usable().Select(node => node.Report.DataAddress).Where(address => address != DataAddress)],
            run.Describe,
            run.Export,
            run.Options.Impl.KeepCheckpoints,
            run.Base);
        return new RunServices
        {
            Options = run.Options,
            Units = run.Units,
            Recipe = run.Recipe,
            StageRecipe = run.StageRecipe,
            Base = run.Base?.Units ?? new Dictionary<string, string>(),
            Tied = run.Tied,
            Committed = run.OnCommit?.Invoke(checkpoints.Reader, around.Observer),
            Plane = _plane,
            Crew = Crew(run, around),
            Batches = run.Batches,
            Checkpoints = checkpoints,
            Observer = around.Observer,
            Clock = _clock,
        };
    }

    private Props Crew(PreparedRun run, RunSurroundings around)
    {
        var pipeline = run.Options.Pipeline;
        var (registry, time) = (around.Registry, _settings.Time);
        var needs = new CrewNeeds
        {
            Units = run.Units,
            UnitSeconds = [.. run.UnitSeconds.Select(seconds => seconds * _speed)], // measured here; the crew counts with a node of speed 1
            UnitMemory = run.UnitMemory,
            Chunks = pipeline.Chunks,
            Schedule = pipeline.Schedule,
            MicroBatches = MicroBatches.Split(run.Options.Train.BatchSize, run.Options.Impl.MicroBatchSize).Count,
            Cut = pipeline.Cut,
            Copies = _objects is null ? 1 : _options.Copies, // a shared store needs no copies
            StageMemory = run.StageMemory,
            Stages = _options.Stages,
            Spares = _options.Spares,
            WaitForNode = TimeSpan.FromSeconds(_options.WaitForNode),
        };
        return Props.Create(() => new ClusterCrew(registry, needs, time));
    }

    /// <summary>Members count from their admission to their leaving.</summary>
    private static bool IsIn(Member member) => member.Status is MemberStatus.Up or MemberStatus.Leaving or MemberStatus.WeaklyUp;

    private void EndBecause(string reason)
    {
        _reason = reason;
        _system.Log.Warning("This node ends: {0}", reason);
        CoordinatedShutdown.Get(_system).Run(CoordinatedShutdown.ClusterDowningReason.Instance);
    }
}
