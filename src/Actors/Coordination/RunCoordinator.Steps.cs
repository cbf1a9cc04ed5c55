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
    private bool _last;
    private double _startedAt;

    private long StepNumber => _phase == Phase.Train ? _state.At.Step + 1 : _state.At.Step;

    private void Preparing()
    {
        Command<StageProtocol.Ready>(
            ready =>
            {
                _ready.Add(ready.Stage);
                if (_ready.Count == _options.Pipeline.Stages)
                {
                    _ready.Clear();
                    BeginStep();
                }
            },
            IsCurrent);
        CommandDuringAttempt();
    }

    private void Stepping()
    {
        Command<StageProtocol.GradientsReady>(OnGradients, m => IsCurrent(m) && m.Step == StepNumber);
        Command<StageProtocol.StepDone>(OnStepDone, m => IsCurrent(m) && m.Step == StepNumber && m.Phase == _phase);
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
            failed => RollBack($"{(failed.Stage < 0 ? "the batch dealer" : $"stage {failed.Stage}")} failed in step {failed.Step} at {failed.Doing}: {failed.Reason}"),
            IsCurrent);
        Command<Terminated>(OnTerminated);
        Command<StageProtocol.Waiting>(_ => Inquire(), IsCurrent);
        Command<StageProtocol.Status>(OnStatus, IsCurrent);
        Command<InquiryDone>(_ => JudgeStall());
        CommandSnapshots();
        Command<IAttemptMessage>(stale => _log.Debug("Dropped {0}", stale));
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
        _ledger = new StepLedger(_options.Pipeline.Stages);
        _startedAt = _services.Clock.Seconds;
        Become(Stepping);
        var step = new StageProtocol.RunStep(
            _state.Run, _state.Attempt, StepNumber, phase, rows.Count, 1.0 / ((double)rows.Sum() * _services.Batches.TargetsPerSequence),
            digest, Spans: _options.Impl.TraceSteps > 0);
        foreach (var stage in _stages.Values)
        {
            stage.Tell(step);
        }

        _dealer.Tell(new DealerProtocol.Deal(_state.Run, _state.Attempt, StepNumber, phase, first, rows));
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
            _state.Run, _state.Attempt, StepNumber, _plan!.LearningRate, GradientNorm.ClipFactor(_ledger.GradientNorm, _options.Train.Clip), _skip);
        foreach (var stage in _stages.Values)
        {
            stage.Tell(update);
        }
    }

    private void OnStepDone(StageProtocol.StepDone report)
    {
        if (!_ledger.Add(report))
        {
            return;
        }

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
        if (_ledger.Digests(_services.Units) is { Count: > 0 } digests)
        {
            _services.Observer.OnDigest(_state.At.Step, digests);
        }

        AfterStep();
    }

    private void OnTerminated(Terminated terminated)
    {
        foreach (var (stage, actor) in _stages.Where(s => s.Value.Equals(terminated.ActorRef)).ToList())
        {
            _stages.Remove(stage);
            RollBack($"the actor of stage {stage} ended unexpectedly");
        }
    }

    /// <summary>A stage has waited for long: ask all of them before judging.</summary>
    private void Inquire()
    {
        if (Timers.IsTimerActive(InquiryDone.Key))
        {
            return;
        }

        _statuses.Clear();
        Timers.StartSingleTimer(InquiryDone.Key, new InquiryDone(), TimeSpan.FromSeconds(5));
        foreach (var stage in _stages.Values)
        {
            stage.Tell(new StageProtocol.AskStatus(_state.Run, _state.Attempt));
        }
    }

    private void OnStatus(StageProtocol.Status status)
    {
        _statuses[status.Stage] = status;
        if (_statuses.Count == _stages.Count && Timers.IsTimerActive(InquiryDone.Key))
        {
            Timers.Cancel(InquiryDone.Key);
            JudgeStall();
        }
    }

    private void JudgeStall()
    {
        if (StallVerdict.Judge(_statuses, _options.Pipeline.Stages, _options.Impl.StallTimeout) is { } verdict)
        {
            RollBack($"step {StepNumber} has stalled: {verdict}");
        }
    }

    private sealed record InquiryDone : INoSerializationVerificationNeeded
    {
        public static readonly string Key = "inquiry";
    }
}
