using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;
using Akka.Event;
using Akka.Pattern;
using Akka.Persistence;

namespace ActorTrainer.Actors.Nodes;

/// <summary>
/// The one coordinator of a cluster: knows its nodes, works on the run that was submitted, and answers clients. When its node dies it is
/// made again on another one, with the journal. This file holds take-over and nodes, <c>ClusterCoordinator.Runs.cs</c> the run,
/// <c>ClusterCoordinator.Clients.cs</c> the clients.
/// </summary>
public sealed partial class ClusterCoordinator : ReceivePersistentActor, IWithTimers
{
    /// <summary>Seconds for which nodes are told again what to keep, after a run has ended or nodes have changed.</summary>
    private const double RemindedFor = 30;

    /// <summary>Announcements between two such reminders.</summary>
    private const int RemindEvery = 10;

    /// <summary>Seconds for which a lost node that is no member any more is still announced to.</summary>
    private const double AnnouncedFor = 60;

    private readonly ClusterCoordinatorSettings _settings;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly HashSet<IActorRef> _subscribers = [];
    private readonly long _start;

    private ClusterState _state = ClusterState.Empty;
    private NodeRegistry _registry;
    private volatile RegistryProtocol.Nodes _told = new([], null);
    private double _remindUntil;

    /// <summary>Creates the coordinator.</summary>
    public ClusterCoordinator(ClusterCoordinatorSettings settings)
    {
        _settings = settings;
        _start = settings.Time.GetTimestamp();
        _registry = NodeRegistry.Empty(0, settings.Lease.TotalSeconds);
        Recover<IClusterEvent>(fact => _state = _state.Apply(fact));
        Recover<RecoveryCompleted>(_ => Record(new ClusterEvents.TookOver(_state.Term + 1), TakeOver));
        Command<AnnounceTick>(_ => Announce());
        Command<NodeProtocol.Beat>(OnBeat);
        Command<RegistryProtocol.Subscribe>(_ => OnSubscribe());
        Command<CrewProtocol.Keep>(keep => Record(
            new ClusterEvents.Kept(keep.Run, keep.Step, keep.Hashes), () => _remindUntil = Now + RemindedFor));
        Command<Terminated>(OnTerminated);
        CommandRuns();
        CommandClients();
    }

    /// <inheritdoc/>
    public override string PersistenceId => "cluster";

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!; // set by Akka

    private double Now => _settings.Time.GetElapsedTime(_start).TotalSeconds;

    /// <summary>The coordinator under a supervisor that makes it again, soon and then less often, while the journal does not answer.</summary>
    public static Props Supervised(ClusterCoordinatorSettings settings) => BackoffSupervisor.Props(Backoff.OnStop(
        Akka.Actor.Props.Create(() => new ClusterCoordinator(settings)), "coordinator", TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(5), 0.2, -1));

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    /// <summary>An event whose number another coordinator has used is rejected: that one has taken over. The supervisor makes this one again.</summary>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        base.OnPersistRejected(cause, @event, sequenceNr);
        Context.Stop(Self);
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _slot?.Dispose();
        base.PostStop();
    }

    private void TakeOver()
    {
        _log.Info("{0} coordinates the cluster (term {1})", _settings.Node, _state.Term);
        _registry = NodeRegistry.Empty(_state.Term, _settings.Lease.TotalSeconds);
        Timers.StartPeriodicTimer("announce", new AnnounceTick(), TimeSpan.Zero, _settings.AnnounceEvery);
        if (_state.Current is { } submitted)
        {
            Begin(submitted);
        }
    }

    private void Announce()
    {
        _registry = _registry.Announced(Now, _settings.AnnounceEvery.TotalSeconds);
        var announce = new NodeProtocol.Announce(_state.Term, _registry.Number);
        var addresses = _settings.View().Members.Concat(_settings.Seeds).Concat(_registry.Addresses(Now, AnnouncedFor).Where(a => a.HasGlobalScope));
        foreach (var address in addresses.Distinct())
        {
            Context.ActorSelection(NodeAddress.Agent(address)).Tell(announce, Self);
        }

        TellNodes();
        Remind();
    }

    /// <summary>Nodes that were away when the last run ended, or did not hear, still hold what nobody needs.</summary>
    private void Remind()
    {
        if (_slot is null && _state.Kept is { } kept && Now < _remindUntil && _registry.Number % RemindEvery == 0)
        {
            foreach (var node in _told.Usable)
            {
                node.Agent.Tell(new NodeProtocol.Keep(kept.Run, node.Report.Incarnation, kept.Step, kept.Hashes, Ended: true));
            }
        }
    }

    private void OnBeat(NodeProtocol.Beat beat)
    {
        _registry = _registry.Heard(beat, Sender, Now);
        TellNodes();
    }

    private void OnSubscribe()
    {
        if (_subscribers.Add(Sender))
        {
            Context.Watch(Sender);
        }

        Sender.Tell(_told);
    }

    /// <summary>Tells those who work with nodes when something has changed that matters to them.</summary>
    private void TellNodes()
    {
        var nodes = new RegistryProtocol.Nodes(_registry.Usable(Now), Quorum.Hold(_settings.View()));
        if (nodes.Hold != _told.Hold || !nodes.Usable.Select(Identity).SequenceEqual(_told.Usable.Select(Identity)))
        {
            _told = nodes;
            _remindUntil = Now + RemindedFor;
            foreach (var subscriber in _subscribers)
            {
                subscriber.Tell(nodes);
            }
        }
    }

    private void OnTerminated(Terminated terminated)
    {
        _subscribers.Remove(terminated.ActorRef);
        if (_slot is { } slot && terminated.ActorRef.Equals(slot.Coordinator))
        {
            OnRunDied(slot);
        }
    }

    /// <summary>Persists a fact, then goes on.</summary>
    private void Record(IClusterEvent fact, Action then) => Persist(fact, _ =>
    {
        _state = _state.Apply(fact);
        then();
    });

    private static (string, string, string, double, long, IActorRef) Identity(KnownNode node) =>
        (node.Report.Name, node.Report.Incarnation, node.Report.DataAddress, node.Report.Speed, node.Report.MemoryBytes, node.Agent);

    private sealed record AnnounceTick : INoSerializationVerificationNeeded;
}
