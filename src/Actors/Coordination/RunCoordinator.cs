using ActorTrainer.Actors.Protocol;
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
    private readonly Dictionary<int, IActorRef> _stages = [];

    private RunState _state = RunState.Empty;
    private IActorRef _listener = ActorRefs.Nobody;
    private IActorRef _dealer = ActorRefs.Nobody;
    private int _retries;
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

    private void Idle()
    {
        Command<RunProtocol.Start>(_ => OnStart());
        Command<RunProtocol.Stop>(_ => _stopping = true);
        CommandSnapshots();
    }

    private void Ended()
    {
        CommandSnapshots();
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
            Record(new RunEvents.Created(Guid.NewGuid().ToString("N"), _services.Recipe), () => BeginAttempt("start"));
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
            BeginAttempt(_state.Manifest.Length > 0 ? $"resumed at step {_state.Committed.Step}" : "started again before the first checkpoint");
        }
    }

    /// <summary>Every stage goes (back) to the last committed checkpoint.</summary>
    private void BeginAttempt(string reason) =>
        Record(new RunEvents.AttemptStarted(_state.Attempt + 1, _state.Committed.Step, reason), () =>
        {
            IReadOnlyDictionary<string, string> objects;
            try
            {
                objects = _state.Manifest.Length > 0 ? _services.Checkpoints.Objects(_state.Manifest) : new Dictionary<string, string>();
            }
            catch (Exception e)
            {
                Fail($"the checkpoint of step {_state.Committed.Step} cannot be read: {e.Message}");
                return;
            }

            _duties.Clear();
            _ready.Clear();
            _services.Observer.OnAttempt(_state.Attempt, _state.Committed.Step);
            EnsureChildren();
            Become(Preparing);
            for (var stage = 0; stage < _options.Pipeline.Stages; stage++)
            {
                _stages[stage].Tell(new StageProtocol.Prepare(
                    _state.Run, _state.Attempt, stage, _options.Pipeline.Stages, _services.PartSizes, _services.StageRecipe, objects));
            }
        });

    private void EnsureChildren()
    {
        for (var stage = 0; stage < _options.Pipeline.Stages; stage++)
        {
            if (!_stages.ContainsKey(stage))
            {
                var actor = Context.ActorOf(_services.StageProps(stage), $"stage-{stage}-{_state.Attempt}");
                _stages[stage] = Context.Watch(actor);
                _services.Plane.Register(stage, actor);
            }
        }

        if (_dealer.IsNobody())
        {
            _dealer = Context.ActorOf(
                Props.Create(() => new BatchDealer(_services.Batches, _services.Plane, _options.Pipeline.Stages, _services.PartSizes.Count)), "dealer");
        }
    }

    /// <summary>Rolls back and tries again, or gives up after the same checkpoint has been the start of too many attempts.</summary>
    private void RollBack(string reason)
    {
        Timers.CancelAll();
        if (++_retries > _options.Impl.MaxRetries)
        {
            Fail($"{reason} (failed {_retries} times since the checkpoint of step {_state.Committed.Step})");
            return;
        }

        _services.Observer.OnNotice($"{reason}; going back to step {_state.Committed.Step} (attempt {_state.Attempt + 1})");
        BeginAttempt(reason);
    }

    private void Fail(string reason) =>
        Record(new RunEvents.Failed(_state.At.Step, reason), () => End(OutcomeKind.Failed, reason));

    private void End(OutcomeKind kind, string message)
    {
        Timers.CancelAll();
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
    /// Persists a fact without waiting: steps since the last checkpoint are replayed anyway, and the journal keeps the order.
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
