using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Optimisation;
using Akka.Actor;
using Akka.Event;

namespace ActorTrainer.Actors.Coordination;

/// <content>What happens inside an attempt: prepare, step, evaluate, commit, export.</content>
public sealed partial class RunCoordinator
{
    private readonly HashSet<int> _ready = [];
    private readonly Dictionary<string, string> _saved = [];
    private readonly Queue<Duty> _duties = [];
    private readonly SortedDictionary<int, StageProtocol.Status> _statuses = [];

    private StepLedger _ledger = new(0);
    private StepPlan? _plan;
    private Phase _phase;
    private bool _skip;
    private bool _stalled;
    private bool _last;
    private double _startedAt;

    private long StepNumber => _phase == Phase.Train ? _state.At.Step + 1 : _state.At.Step;

    private int Stages => _seats.Seats.Count;

    private void Assembling()
    {
        Command<CrewProtocol.Assembled>(OnAssembled, crew => crew.Run == _state.Run && crew.Attempt == _state.Attempt);
        Command<CrewProtocol.Impossible>(crew => Fail(crew.Reason), crew => crew.Run == _state.Run && crew.Attempt == _state.Attempt);
        Command<CrewProtocol.Waiting>(crew => _services.Observer.OnNotice($"waiting: {crew.Reason}"));
        Command<RunProtocol.AskStatus>(_ => Sender.Tell(Status("waits for nodes", [])));
        Command<RunProtocol.Stop>(_ => End(OutcomeKind.Stopped, $"stopped at step {_state.Committed.Step}; the same command goes on from there"));
        CommandDuringAttempt();
    }

    private void OnAssembled(CrewProtocol.Assembled crew)
    {
        _seats = crew;
        var objects = CommittedObjects();
        IReadOnlyList<string> peers = [.. crew.Seats.Select(seat => seat.Address)];
        _dealer.Tell(new BatchDealer.Join(_state.Run, _state.Attempt, peers));
        Become(Preparing);
        Order(stage => new StageProtocol.Prepare(
            _state.Run, _state.Attempt, stage, Stages, crew.PartSizes, _services.StageRecipe, objects, _options.Pipeline.Schedule,
            _options.Impl.StallTimeout, peers, crew.Sources, crew.Seats[stage].Replicas, _services.Tied));
    }

    /// <summary>
    /// Tells every stage, and tells all of them again until all have answered: one that has answered may meanwhile have lost a peer, and
    /// its word of that may have been lost too.
    /// </summary>
    private void Order(Func<int, IAttemptMessage> command)
    {
        for (var stage = 0; stage < Stages; stage++)
        {
            var order = command(stage);
            _unanswered[stage] = order;
            _seats.Seats[stage].Actor.Tell(order);
        }
    }

    private void Repeat()
    {
        foreach (var (stage, order) in _unanswered)
        {
            _seats.Seats[stage].Actor.Tell(order);
        }

        if (Timers.IsTimerActive(InquiryDone.Key))
        {
            AskStages();
        }
    }

    private void Preparing()
    {
        Command<StageProtocol.Ready>(
            ready =>
            {
                _ready.Add(ready.Stage);
                if (_ready.Count == Stages)
                {
                    _ready.Clear();
                    _unanswered.Clear();
                    if (_seats.Seats.Any(seat => seat.Address.Length > 0))
                    {
                        _services.Observer.OnNotice(DescribeCrew());
                    }

                    BeginStep();
                }
            },
            IsCurrent);
        CommandDuringAttempt();
    }

    private void Stepping()
    {
        // The evaluation after a step has the step's number: only the phase tells a late report from one that is waited for.
        Command<StageProtocol.GradientsReady>(OnGradients, m => IsCurrent(m) && m.Step == StepNumber && _phase == Phase.Train);
        Command<StageProtocol.StepDone>(OnStepDone, m => IsCurrent(m) && m.Step == StepNumber && m.Phase == _phase);
        Command<StageProtocol.Waiting>(_ => Inquire(stalled: true), m => IsCurrent(m) && m.Step == StepNumber);
        CommandDuringAttempt();
    }

    private void Saving()
    {
        Command<StageProtocol.Saved>(OnSaved, m => IsCurrent(m) && m.Step == _state.At.Step);
        Command<CheckpointDone>(done => OnCheckpointDone(done), done => done.Attempt == _state.Attempt);
        CommandDuringAttempt();
    }

    private void CommandDuringAttempt()
    {
        Command<RunProtocol.Stop>(_ =>
        {
            _stopping = true;
            _services.Observer.OnNotice("stopping after the step under way");
        });
        Command<StageProtocol.Failed>(
            failed => RollBack($"{(failed.Stage < 0 ? "the batch dealer" : $"stage {failed.Stage}")} failed in step {failed.Step} at {failed.Doing}: {failed.Reason}",
                failed.Outside ? AttemptCause.Loss : AttemptCause.Failure),
            IsCurrent);
        Command<StageProtocol.LinkDown>(
            link =>
            {
                _crew.Tell(new CrewProtocol.Suspect(_state.Run, _state.Attempt, NodeOf(link.Stage), NodeOf(link.Peer)));
                RollBack($"{Seat(link.Stage)} lost the link to {Seat(link.Peer)}: {link.Reason}", AttemptCause.Loss);
            },
            IsCurrent);
        Command<CrewProtocol.Lost>(lost => RollBack(lost.Reason, AttemptCause.Loss), lost => lost.Run == _state.Run && lost.Attempt == _state.Attempt);
        Command<CrewProtocol.Changed>(changed => _move ??= changed.Reason, changed => changed.Run == _state.Run && changed.Attempt == _state.Attempt);
        Command<RepeatTick>(_ => Repeat());
        Command<Terminated>(OnChildEnded);
        Command<RunProtocol.AskStatus>(_ => OnAskStatus());
        Command<StageProtocol.Status>(OnStatus, IsCurrent);
        Command<InquiryDone>(_ => JudgeStall());
        CommandSnapshots();
        Command<IAttemptMessage>(stale => _log.Debug("Dropped {0}", stale));
        CommandAny(stale => _log.Debug("Dropped {0}", stale));
    }

    private bool IsCurrent(IAttemptMessage message) => message.Run == _state.Run && message.Attempt == _state.Attempt;

    private void BeginStep()
    {
        _plan = StepPlan.Next(_options.Train, _options.Impl.MicroBatchSize, _services.Batches.TokensPerSequence, _state.At);
        if (_plan is null || (_stopping && _state.At.Step == _state.Committed.Step))
        {
            AfterStep();
            return;
        }

        Deal(Phase.Train, _state.At.Sequences, _plan.Rows, DigestDue(_state.At.Step + 1));
    }

    private bool DigestDue(long step) => _options.Impl.DigestEvery > 0 && step % _options.Impl.DigestEvery == 0;

    private void Deal(Phase phase, long first, IReadOnlyList<int> rows, bool digest)
    {
        _phase = phase;
        _ledger = new StepLedger(Stages);
        _startedAt = _services.Clock.Seconds;
        Become(Stepping);
        var step = new StageProtocol.RunStep(
            _state.Run, _state.Attempt, StepNumber, phase, rows.Count, 1.0 / ((double)rows.Sum() * _services.Batches.TargetsPerSequence),
            digest, Spans: _options.Impl.TraceSteps > 0);
        Order(_ => step);
        _dealer.Tell(new DealerProtocol.Deal(_state.Run, _state.Attempt, StepNumber, phase, first, rows, Stages, _seats.PartSizes.Count));
    }

    private void OnGradients(StageProtocol.GradientsReady report)
    {
        if (!_ledger.Add(report))
        {
            return;
        }

        _skip = false;
        if (_ledger.NonFinite() is { } where)
        {
            if (_options.Train.NonFinite == NonFinitePolicy.Stop)
            {
                Fail($"step {StepNumber}: NaN or infinity in {where}. The weights are those of step {_state.At.Step}, the last checkpoint is of step "
                    + $"{_state.Committed.Step}. Lower train.optim.lr, clip gradients to less (train.clip), or set train.non_finite=skip to leave such steps out.");
                return;
            }

            _skip = true;
            _services.Observer.OnNotice($"step {StepNumber}: NaN or infinity in {where}; the update is skipped");
        }

        var update = new StageProtocol.Update(
            _state.Run, _state.Attempt, StepNumber, _plan!.LearningRate, _ledger.IsHidden ? 1 : GradientNorm.ClipFactor(_ledger.GradientNorm, _options.Train.Clip), _skip);
        Order(_ => update);
    }

    private void OnStepDone(StageProtocol.StepDone report)
    {
        if (!_ledger.Add(report))
        {
            return;
        }

        _unanswered.Clear();
        _stalled = false;
        if (_ledger.Spans is { Count: > 0 } spans)
        {
            _services.Observer.OnSpans(spans);
        }

        if (_phase == Phase.Evaluate)
        {
            OnEvaluated();
            return;
        }

        var seconds = _services.Clock.Seconds - _startedAt;
        RecordLater(new RunEvents.StepRecorded(
            _state.Attempt, StepNumber, _ledger.Loss, _ledger.GradientNorm, _plan!.LearningRate, _plan.Sequences, seconds, _skip));
        var tokens = (long)_plan.Sequences * _services.Batches.TokensPerSequence;
        var total = _state.At.Sequences * _services.Batches.TokensPerSequence;
        _services.Observer.OnStep(new StepMetrics
        {
            Step = _state.At.Step,
            Loss = _ledger.Loss,
            LearningRate = _plan.LearningRate,
            GradientNorm = _ledger.GradientNorm,
            Sequences = _plan.Sequences,
            Tokens = tokens,
            TotalTokens = total,
            Progress = Budget.Fraction(_options.Train, _state.At.Step, total, _state.At.Seconds),
            Seconds = seconds,
            MicroBatches = _plan.Rows.Count,
            Attempt = _state.Attempt,
            Skipped = _skip,
            Stages = _ledger.Loads(),
        });
        _crew.Tell(new CrewProtocol.Measured(_state.Run, _state.Attempt, _ledger.Busy));
        if (_ledger.Digests(_services.Units) is { Count: > 0 } digests)
        {
            _services.Observer.OnDigest(_state.At.Step, digests);
        }

        AfterStep();
    }

    /// <summary>A stage has waited for long, or somebody wants to know: ask all of them before judging or answering.</summary>
    private void Inquire(bool stalled)
    {
        _stalled |= stalled;
        if (Timers.IsTimerActive(InquiryDone.Key))
        {
            return;
        }

        _statuses.Clear();
        Timers.StartSingleTimer(InquiryDone.Key, new InquiryDone(), TimeSpan.FromSeconds(5));
        AskStages();
    }

    private void AskStages()
    {
        for (var stage = 0; stage < Stages; stage++)
        {
            if (!_statuses.ContainsKey(stage))
            {
                _seats.Seats[stage].Actor.Tell(new StageProtocol.AskStatus(_state.Run, _state.Attempt));
            }
        }
    }

    private void OnStatus(StageProtocol.Status status)
    {
        _statuses[status.Stage] = status;
        if (_statuses.Count == Stages && Timers.IsTimerActive(InquiryDone.Key))
        {
            Timers.Cancel(InquiryDone.Key);
            JudgeStall();
        }
    }

    private void JudgeStall()
    {
        AnswerStatus();
        if (_stalled && StallVerdict.Judge(_statuses, Stages, _options.Impl.StallTimeout) is { } verdict)
        {
            RollBack($"step {StepNumber} has stalled: {verdict}");
        }

        _stalled = false;
    }

    private string NodeOf(int stage) => stage >= 0 && stage < Stages ? _seats.Seats[stage].Node : "";

    private string Seat(int stage) =>
        stage < 0 ? "the batch dealer" : stage < Stages ? $"stage {stage} ({_seats.Seats[stage].Node})" : $"stage {stage}";

    private string DescribeCrew()
    {
        var first = 0;
        var names = _seats.PartSizes.Select((size, part) =>
        {
            var (from, to) = (_services.Units[first], _services.Units[first + size - 1]);
            first += size;
            return $"{_seats.Seats[part % Stages].Node}: {(size == 1 ? from : $"{from} … {to}")}";
        });
        return $"attempt {_state.Attempt} from step {_state.Committed.Step}: {string.Join(" | ", names)}";
    }

    private sealed record RepeatTick : INoSerializationVerificationNeeded
    {
        public static readonly string Key = "repeat";
    }

    private sealed record InquiryDone : INoSerializationVerificationNeeded
    {
        public static readonly string Key = "inquiry";
    }
}
