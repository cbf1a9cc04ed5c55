using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using Akka.Actor;

namespace ActorTrainer.Actors.Coordination;

/// <content>What is done between two steps: evaluate, commit, export.</content>
public sealed partial class RunCoordinator
{
    private void AfterStep()
    {
        _last = StepPlan.Next(_options.Train, _options.Impl.MicroBatchSize, _services.Batches.TokensPerSequence, _state.At) is null;
        foreach (var duty in Duties.After(_options.Train, _state.At.Step, _last, _stopping || _move is not null))
        {
            _duties.Enqueue(duty);
        }

        NextDuty();
    }

    private void NextDuty()
    {
        if (!_duties.TryDequeue(out var duty))
        {
            Continue();
            return;
        }

        switch (duty)
        {
            case Duty.Evaluate when _services.Batches.HeldOutSequences > 0 && _options.Train.EvaluateBlocks > 0:
                var blocks = (int)Math.Min(_services.Batches.HeldOutSequences, _options.Train.EvaluateBlocks);
                Deal(Phase.Evaluate, 0, MicroBatches.Split(blocks, _options.Impl.MicroBatchSize), digest: false);
                break;
            case Duty.Commit when _state.At.Step > _state.Committed.Step || _state.Manifest.Length == 0:
                _saved.Clear();
                Become(Saving);
                Order(_ => new StageProtocol.Save(_state.Run, _state.Attempt, _state.At.Step));
                break;
            case Duty.Export:
                Become(Saving);
                var (at, exported) = (_state.Committed, CommittedObjects());
                InBackground(duty, () => _services.Checkpoints.Export(at, exported));
                break;
            default:
                NextDuty();
                break;
        }
    }

    private void Continue()
    {
        if (_last)
        {
            return; // Export has ended the run
        }

        if (_stopping)
        {
            End(OutcomeKind.Stopped, $"stopped after step {_state.Committed.Step}; the same command goes on from there");
            return;
        }

        if (_move is { } reason && _state.At.Step == _state.Committed.Step)
        {
            _services.Observer.OnNotice($"{reason}; the stages move after step {_state.Committed.Step} (attempt {_state.Attempt + 1})");
            BeginAttempt(reason, AttemptCause.Move);
            return;
        }

        BeginStep();
    }

    private void OnEvaluated()
    {
        var score = _ledger.Score ?? new EvaluationScore(double.NaN, 0, 0);
        var sequences = score.Targets / Math.Max(1, _services.Batches.TargetsPerSequence);
        if (score.Outputs is { Length: > 0 } outputs)
        {
            _services.Observer.OnOutputs(_state.At.Step, outputs);
        }

        _services.Observer.OnEvaluation(new EvaluationMetrics(
            _state.At.Step, score.LossSum / score.Targets, _services.Batches.HeldOutBaseline(sequences), (double)score.Correct / score.Targets,
            score.Targets, _services.Clock.Seconds - _startedAt));
        NextDuty();
    }

    private void OnSaved(StageProtocol.Saved saved)
    {
        if (!_unanswered.Remove(saved.Stage))
        {
            return; // told twice
        }

        foreach (var (unit, hash) in saved.Objects)
        {
            _saved[unit] = hash;
        }

        if (_saved.Count == _services.Units.Count)
        {
            var objects = BaseObjects.With(_services.Base, _saved);
            var position = _state.At;
            InBackground(Duty.Commit, () => _services.Checkpoints.Commit(position, objects));
        }
    }

    /// <summary>File work leaves the dispatcher; its result comes back as a message.</summary>
    private void InBackground(Duty duty, Func<string> work)
    {
        var attempt = _state.Attempt;
        Task.Run(work).PipeTo(
            Self,
            success: result => new CheckpointDone(attempt, duty, result, null),
            failure: error => new CheckpointDone(attempt, duty, "", error));
    }

    private void OnCheckpointDone(CheckpointDone done)
    {
        if (done.Error is { } error)
        {
            RollBack($"the checkpoint of step {_state.At.Step} could not be written: {error.Message}");
        }
        else if (done.Duty == Duty.Commit)
        {
            Record(new RunEvents.Committed(_state.Attempt, _state.At.Step, done.Result, BaseObjects.With(_services.Base, _saved)), () =>
            {
                _services.Observer.OnCommit(_state.Committed.Step);
                _services.Committed?.Invoke(_state.Committed.Step, CommittedObjects());
                SnapshotSometimes();
                Collect(done.Result);
                NextDuty();
            });
        }
        else
        {
            _services.Observer.OnCheckpoint(_state.At.Step, done.Result);
            if (_last)
            {
                Record(new RunEvents.Completed(_state.At.Step, done.Result), () => End(OutcomeKind.Completed, $"{_state.At.Step} steps done"));
            }
            else
            {
                NextDuty();
            }
        }
    }

    /// <summary>Frees old checkpoints; that it could not, or that an old one is damaged, is worth a word, not a run.</summary>
    private void Collect(string newest)
    {
        try
        {
            _kept = _services.Checkpoints.Collect(newest, CommittedObjects());
            _crew.Tell(new CrewProtocol.Keep(_state.Run, _state.Committed.Step, _kept, Ended: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RefusedException)
        {
            _services.Observer.OnNotice($"old checkpoints could not be removed: {e.Message}");
        }
    }

    private sealed record CheckpointDone(int Attempt, Duty Duty, string Result, Exception? Error) : INoSerializationVerificationNeeded;
}
