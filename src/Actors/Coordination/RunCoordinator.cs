using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Stages;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence;

namespace ActorTrainer.Actors.Coordination;

/// <summary>
/// Owns a run: its position, its steps, its checkpoints and its end. Facts go to the journal; a coordinator that starts
/// again finds them there, rolls back to the last committed checkpoint and goes on. This file holds the life of the run,
/// <c>RunCoordinator.Steps.cs</c> what happens inside an attempt, <c>RunCoordinator.Duties.cs</c> what is done between steps.
/// </summary>
public sealed partial class RunCoordinator : ReceivePersistentActor, IWithTimers
{
    private const long EventsPerSnapshot = 1000;

    private readonly RunServices _services;
    private readonly RunOptions _options;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<int, IAttemptMessage> _unanswered = [];

    private RunState _state = RunState.Empty;
    private IActorRef _listener = ActorRefs.Nobody;
    private IActorRef _dealer = ActorRefs.Nobody;
    private IActorRef _crew = ActorRefs.Nobody;
    private CrewProtocol.Assembled _seats = new("", 0, [], [], new Dictionary<string, IReadOnlyList<string>>());
    private string? _move;
    private IReadOnlyList<string> _kept = [];
    private bool _stopping;
    private long _snapshotAt;

    /// <summary>Creates the coordinator of one run.</summary>
    public RunCoordinator(RunServices services)
    {
        _services = services;
        _options = services.Options;
        Recover<SnapshotOffer>(offer => _state = (RunState)offer.Snapshot);
        Recover<IRunEvent>(fact => _state = _state.Apply(fact));
        Become(Idle);
    }

    /// <inheritdoc/>
    public override string PersistenceId => PersistenceIdOf(_options.Name);

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!; // set by Akka

    /// <summary>Key of a run in the journal.</summary>
    public static string PersistenceIdOf(string name) => $"run-{name}";

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    /// <inheritdoc/>
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        base.OnPersistFailure(cause, @event, sequenceNr); // Akka stops the actor
        SayNotWritten(cause, @event, sequenceNr);
    }

    /// <summary>
    /// What the journal does not have did not happen: whoever was refused has no right to go on. Akka would only log it. The actor ends
    /// behind this message, and its children, the stages' crew among them, with it.
    /// </summary>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        base.OnPersistRejected(cause, @event, sequenceNr);
        SayNotWritten(cause, @event, sequenceNr);
        Context.Stop(Self);
    }

    private void SayNotWritten(Exception cause, object fact, long number) => _services.Observer.OnNotice(
        $"the journal did not take event {number} of run '{_options.Name}' ({fact.GetType().Name}): {cause.Message}; this coordinator stops, because it is down or another one has taken over");

    private void Idle()
    {
        Command<RunProtocol.Start>(_ => OnStart());
        Command<RunProtocol.Stop>(_ => _stopping = true);
        Command<RunProtocol.AskStatus>(_ => Sender.Tell(Status("not started", [])));
        CommandSnapshots();
    }

    private void Ended()
    {
        CommandSnapshots();
        Command<RunProtocol.AskStatus>(_ => Sender.Tell(Status("ended", [])));
        CommandAny(_ => { });
    }

    private void CommandSnapshots()
    {
        Command<SaveSnapshotSuccess>(saved => DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1)));
        Command<SaveSnapshotFailure>(failed => _log.Warning(failed.Cause, "No snapshot of the run's journal was saved; the journal itself is complete"));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(_ => { });
    }

    private void OnStart()
    {
        _listener = Sender;
        if (_state.Run.Length == 0)
        {
            Record(new RunEvents.Created(Guid.NewGuid().ToString("N"), _services.Recipe), () => BeginAttempt("start", AttemptCause.Start));
        }
        else if (_state.RecipeDifferences(_services.Recipe) is { Count: > 0 } differences)
        {
            End(OutcomeKind.Refused, $"Run '{_options.Name}' exists and was started with other settings:\n  {string.Join("\n  ", differences)}\n"
                + "Use the same settings to go on with it, another name=… for a new run, or remove its folder.");
        }
        else if (_state.Export.Length > 0)
        {
            End(OutcomeKind.Completed, $"Run '{_options.Name}' was already complete; use another name=… for a new run.");
        }
        else
        {
            BeginAttempt(_state.Manifest.Length > 0 ? $"resumed at step {_state.Committed.Step}" : "started again before the first checkpoint", AttemptCause.Start);
        }
    }

    /// <summary>Every stage goes (back) to the last committed checkpoint.</summary>
    private void BeginAttempt(string reason, AttemptCause cause) =>
        Record(new RunEvents.AttemptStarted(_state.Attempt + 1, _state.Committed.Step, reason, cause), () =>
        {
            IReadOnlyDictionary<string, string> objects;
            try
            {
                _services.Checkpoints.Begin(_state.Run);
                objects = CommittedObjects();
            }
            catch (Exception e)
            {
                Fail($"the checkpoint of step {_state.Committed.Step} cannot be read: {e.Message}");
                return;
            }

            _duties.Clear();
            _ready.Clear();
            _unanswered.Clear();
            _stalled = false;
            _move = null;
            _services.Observer.OnAttempt(_state.Attempt, _state.Committed.Step, cause);
            EnsureChildren();
            Become(Assembling);
            _crew.Tell(new CrewProtocol.Assemble(_state.Run, _state.Attempt, objects));
        });

    /// <summary>What an attempt begins with: the units' committed states, if there are any, and the base.</summary>
    private IReadOnlyDictionary<string, string> CommittedObjects() => BaseObjects.With(
        _services.Base, _state.Manifest.Length == 0 ? new Dictionary<string, string>() : _state.Objects ?? _services.Checkpoints.Objects(_state.Manifest));

    private void EnsureChildren()
    {
        if (_dealer.IsNobody())
        {
            _dealer = Context.Watch(Context.ActorOf(Props.Create(() => new BatchDealer(_services.Batches, _services.Plane)), "dealer"));
        }

        if (_crew.IsNobody())
        {
            _crew = Context.Watch(Context.ActorOf(_services.Crew, "crew"));
        }

        if (!Timers.IsTimerActive(RepeatTick.Key))
        {
            Timers.StartPeriodicTimer(RepeatTick.Key, new RepeatTick(), _services.RepeatAfter);
        }
    }

    /// <summary>Dealer or crew ended by a failure of their own: the next attempt gets a new one.</summary>
    private void OnChildEnded(Terminated ended)
    {
        var isDealer = ended.ActorRef.Equals(_dealer);
        if (isDealer)
        {
            _dealer = ActorRefs.Nobody;
        }
        else
        {
            _crew = ActorRefs.Nobody;
        }

        RollBack($"the {(isDealer ? "batch dealer" : "crew")} ended unexpectedly; the log says why");
    }

    /// <summary>Rolls back and tries again, or gives up when another attempt makes no sense.</summary>
    private void RollBack(string reason, AttemptCause cause = AttemptCause.Failure)
    {
        Timers.Cancel(InquiryDone.Key);
        if ((_state.Retries ?? Retries.None).Verdict(cause, reason, _options.Impl.MaxRetries) is { } verdict)
        {
            Fail($"{verdict}; the last checkpoint is of step {_state.Committed.Step}");
            return;
        }

        _services.Observer.OnNotice($"{reason}; going back to step {_state.Committed.Step} (attempt {_state.Attempt + 1})");
        BeginAttempt(reason, cause);
    }

    private void Fail(string reason) =>
        Record(new RunEvents.Failed(_state.At.Step, reason), () => End(OutcomeKind.Failed, reason));

    private void End(OutcomeKind kind, string message)
    {
        Timers.CancelAll();
        _crew.Tell(new CrewProtocol.Keep(_state.Run, _state.Committed.Step, _kept, Ended: true));
        _listener.Tell(new RunProtocol.Outcome(kind, _state.Committed.Step, message, _state.Export));
        Become(Ended);
    }

    /// <summary>Persists a fact, then goes on.</summary>
    private void Record(IRunEvent fact, Action then) => Persist(fact, _ =>
    {
        _state = _state.Apply(fact);
        then();
    });

    /// <summary>
    /// Persists a fact without waiting: steps since the last checkpoint are replayed anyway, and the journal keeps the order. So the state
    /// runs ahead of the journal until the fact is written; if it is refused the actor ends before anything behind it is written, a
    /// commit in particular.
    /// </summary>
    private void RecordLater(IRunEvent fact)
    {
        _state = _state.Apply(fact);
        PersistAsync(fact, _ => { });
    }

    private void SnapshotSometimes()
    {
        if (LastSequenceNr - _snapshotAt >= EventsPerSnapshot)
        {
            _snapshotAt = LastSequenceNr;
            SaveSnapshot(_state);
        }
    }
}
