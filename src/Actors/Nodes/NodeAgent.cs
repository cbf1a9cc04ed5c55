using ActorTrainer.Actors.Protocol;
using Akka.Actor;
using Akka.Event;
using Akka.Remote;

namespace ActorTrainer.Actors.Nodes;

/// <summary>
/// Stands for a node: answers the coordinator, keeps the stage actor of the run under way, lets go of objects, and passes clients on. Any
/// message may come twice, late or never.
/// </summary>
public sealed class NodeAgent : ReceiveActor, IWithTimers
{
    private readonly NodeAgentSettings _settings;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<string, int> _attempts = new(StringComparer.Ordinal);

    private IActorRef _coordinator = ActorRefs.Nobody;
    private long _term;
    private long _heardAt;
    private string _run = "";
    private IActorRef _stage = ActorRefs.Nobody;
    private int _made;

    /// <summary>Creates the agent of this process.</summary>
    public NodeAgent(NodeAgentSettings settings)
    {
        _settings = settings;
        Receive<NodeProtocol.Announce>(OnAnnounce);
        Receive<NodeProtocol.Engage>(OnEngage);
        Receive<Found>(OnFound);
        Receive<NodeProtocol.Keep>(OnKeep);
        Receive<Terminated>(OnTerminated);
        Receive<NodeProtocol.Probe>(OnProbe);
        Receive<ProbeTick>(_ => ProbeSeeds());
        Receive<ThisActorSystemQuarantinedEvent>(e => settings.End($"{e.RemoteAddress} takes no more messages from this process"));
        Receive<ClientProtocol.Submit>(PassOn);
        Receive<ClientProtocol.Watch>(PassOn);
        Receive<ClientProtocol.Stop>(PassOn);
        Receive<ClientProtocol.AskStatus>(PassOn);
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!; // set by Akka

    private NodeReport Report => _settings.Node with { Doing = _run.Length == 0 ? "" : $"{(_settings.Node.IsStage ? "a stage" : "copies")} of run {_run[..Math.Min(8, _run.Length)]}" };

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    /// <inheritdoc/>
    protected override void PreStart()
    {
        Timers.StartPeriodicTimer("probe", new ProbeTick(), _settings.ProbeEvery);
        Context.System.EventStream.Subscribe(Self, typeof(ThisActorSystemQuarantinedEvent));
    }

    private void OnAnnounce(NodeProtocol.Announce announce)
    {
        var silent = _settings.Time.GetElapsedTime(_heardAt) > _settings.CoordinatorMemory;
        if (announce.Term < _term && !silent)
        {
            return; // a coordinator that another one has taken over from
        }

        (_term, _coordinator, _heardAt) = (announce.Term, Sender, _settings.Time.GetTimestamp());
        Sender.Tell(new NodeProtocol.Beat(announce.Term, announce.Number, Report));
    }

    private void OnEngage(NodeProtocol.Engage engage)
    {
        var highest = _attempts.GetValueOrDefault(engage.Run, -1);
        if (engage.Attempt < highest || (engage.Attempt == highest && engage.Run != _run))
        {
            return; // late: the run has a newer attempt, or another run has taken its place
        }

        _attempts[engage.Run] = engage.Attempt;
        if (engage.Run != _run)
        {
            StopStage();
            _run = engage.Run;
        }

        if (_stage.IsNobody() && _settings.Node.IsStage)
        {
            _stage = Context.Watch(Context.ActorOf(_settings.StageProps(engage.Run), $"stage-{++_made}"));
        }

        var sender = Sender;
        Task.Run(() => _settings.Holds(engage.Run, engage.Hashes)).PipeTo(
            Self,
            success: holds => new Found(engage, sender, holds),
            failure: e =>
            {
                _log.Warning(e, "The node's objects cannot be looked through");
                return new Found(engage, sender, []);
            });
    }

    private void OnFound(Found found)
    {
        var engage = found.Engage;
        if (engage.Run == _run && engage.Attempt == _attempts[engage.Run] && (!_stage.IsNobody() || !_settings.Node.IsStage))
        {
            var path = _settings.Node.IsStage ? Akka.Serialization.Serialization.SerializedActorPath(_stage) : "";
            found.Sender.Tell(new NodeProtocol.Engaged(engage.Run, engage.Attempt, Report, path, found.Holds));
        }
    }

    private void OnKeep(NodeProtocol.Keep keep)
    {
        if (keep.Incarnation != _settings.Node.Incarnation)
        {
            return;
        }

        if (keep.Ended && keep.Run == _run)
        {
            StopStage();
            _run = "";
        }

        var log = _log;
        Task.Run(() =>
        {
            try
            {
                _settings.Keep(keep);
            }
            catch (Exception e)
            {
                log.Warning(e, "Old objects could not be removed");
            }
        });
    }

    private void OnTerminated(Terminated terminated)
    {
        if (terminated.ActorRef.Equals(_stage))
        {
            _log.Warning("The stage actor {0} ended unexpectedly", terminated.ActorRef.Path.Name);
            _stage = ActorRefs.Nobody;
        }
    }

    private void StopStage()
    {
        if (!_stage.IsNobody())
        {
            Context.Unwatch(_stage);
            Context.Stop(_stage);
            _stage = ActorRefs.Nobody;
        }
    }

    private void PassOn(IWire message)
    {
        if (_coordinator.IsNobody())
        {
            _log.Debug("No coordinator is known yet; {0} of {1} is dropped", message.GetType().Name, Sender);
            return;
        }

        _coordinator.Forward(message);
    }

    private void ProbeSeeds()
    {
        var members = _settings.Members();
        foreach (var seed in members.Count == 0 ? [] : _settings.Seeds)
        {
            var text = NodeAddress.Text(seed);
            if (!members.Any(member => member.StartsWith($"{text}#", StringComparison.Ordinal)))
            {
                Context.ActorSelection(NodeAddress.Agent(seed)).Tell(new NodeProtocol.Probe(members), Self);
            }
        }
    }

    private void OnProbe(NodeProtocol.Probe probe)
    {
        var members = _settings.Members();
        if (Islands.GivesWay(members, probe.Members))
        {
            _settings.End($"another cluster has formed ({string.Join(", ", probe.Members)}); this one ({string.Join(", ", members)}) gives way to it");
        }
        else if (members.Count > 0 && probe.Members.Count > 0 && Islands.AreApart(members, probe.Members))
        {
            Sender.Tell(new NodeProtocol.Probe(members), Self); // so that the other one knows that it gives way
        }
    }

    private sealed record Found(NodeProtocol.Engage Engage, IActorRef Sender, IReadOnlyList<string> Holds) : INoSerializationVerificationNeeded;

    private sealed record ProbeTick : INoSerializationVerificationNeeded;
}
