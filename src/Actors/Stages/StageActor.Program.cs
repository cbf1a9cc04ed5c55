using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Telemetry;
using Akka.Actor;
using Akka.Event;

namespace ActorTrainer.Actors.Stages;

/// <content>How the actor walks through its program and gives jobs to its thread.</content>
public sealed partial class StageActor
{
    /// <summary>Runs the program until something has to be waited for.</summary>
    private void Advance()
    {
        var program = _program!;
        while (_begun && _doing.Count < LookAhead && program.Current is { } instruction)
        {
            // The clip factor needs the norms of all stages: the coordinator's Update posts the optimiser's job.
            if (instruction.Kind == InstructionKind.OptimiserStep || program.Missing.Any())
            {
                StartWaiting();
                return;
            }

            if (instruction.Kind is not (InstructionKind.ReceiveActivation or InstructionKind.ReceiveGradient or InstructionKind.ReceiveTiedGradient))
            {
                PostInstruction(program, instruction);
            }

            program.Advance();
        }

        if (_begun && _doing.Count == 0)
        {
            Finish(program);
        }
    }

    /// <summary>Posts the computation and the send behind it as one job: what is made leaves from the thread that made it.</summary>
    private void PostInstruction(StageProgram program, Instruction instruction)
    {
        var job = JobOf(instruction);
        if (program.SendOfCurrent() is not { } send)
        {
            Post(instruction, instruction.ToString(), job);
            return;
        }

        var (stage, key) = program.Destination(send);
        var epoch = _epoch;
        Post(instruction, instruction.ToString(), () =>
        {
            var payload = (IPayload)job()!;
            if (Interlocked.Read(ref _epoch) != epoch)
            {
                return payload; // given up meanwhile: comes back to be freed
            }

            _settings.Plane.Send(_plan.Stage, stage, key, payload);
            return null;
        });
        if (send != instruction)
        {
            program.Advance();
        }
    }

    private void Finish(StageProgram program)
    {
        _begun = false;
        _program = null;
        program.Dispose();
        var (step, times, spans) = (_step!, _times, _spans.ToArray());
        _spans.Clear();
        Post(null, "Report", () => new StageProtocol.StepDone(
            step.Run, step.Attempt, step.Step, step.Phase, _plan.Stage, times.Busy, times.First, times.Last,
            step.Phase == Phase.Evaluate ? _computation.Score() : null,
            step.Digest ? _computation.Digest() : [],
            spans, times.Working, times.Outside));
    }

    private Func<object?> JobOf(Instruction i)
    {
        var program = _program!;
        switch (i.Kind)
        {
            case InstructionKind.Forward:
                var input = program.Take(TransferKind.Activation, i);
                var targets = program.PartOf(i.Chunk) == _plan.Topology.LastPart ? program.Take(TransferKind.Targets, i) : null;
                return () => _computation.Forward(i.Chunk, i.MicroBatch, input, targets);
            case InstructionKind.Backward:
                var gradient = program.PartOf(i.Chunk) == _plan.Topology.LastPart ? null : program.Take(TransferKind.Gradient, i);
                return () => _computation.Backward(i.Chunk, i.MicroBatch, gradient);
            case InstructionKind.SendTiedGradient:
                return _computation.TiedGradient;
            case InstructionKind.ReduceTied:
                var tied = _plan.Stages > 1 ? program.Take(TransferKind.TiedGradient, i) : null;
                return () =>
                {
                    _computation.ReduceTied(tied);
                    return null;
                };
            case InstructionKind.ReduceNorm:
                return _computation.Gradients;
            case InstructionKind.SendTiedWeight:
                return _computation.TiedWeight;
            case InstructionKind.ReceiveTiedWeight:
                var weight = program.Take(TransferKind.TiedWeight, i);
                return () =>
                {
                    _computation.AcceptTiedWeight(weight);
                    return null;
                };
            default:
                throw new InvalidOperationException($"{i} is not computed.");
        }
    }

    private void OnUpdate(StageProtocol.Update update)
    {
        if (_program?.Current is not { Kind: InstructionKind.OptimiserStep } instruction || _doing.Count > 0)
        {
            // Told again: the update is under way, or its answer was lost.
            if (!Repeat())
            {
                Drop(update.ToString());
            }

            return;
        }

        Post(instruction, instruction.ToString(), () =>
        {
            _computation.Update(update);
            return null;
        });
        _program.Advance();
    }

    /// <summary>Gives a job to the stage's thread; its result comes back as <see cref="JobDone"/>.</summary>
    private void Post(Instruction? instruction, string doing, Func<object?> job)
    {
        Timers.Cancel(StallCheck.Key);
        if (_doing.Count == 0)
        {
            _since = _settings.Clock.Seconds;
        }

        _doing.Enqueue(doing);
        var epoch = _epoch;
        var self = Self;
        var clock = _settings.Clock;
        _worker.Post(() =>
        {
            var (start, before) = (clock.Seconds, _computation.Outside);
            try
            {
                var result = job();
                self.Tell(new JobDone(epoch, instruction, doing, result, null, start, clock.Seconds, _computation.Outside - before), ActorRefs.NoSender);
            }
            catch (Exception e)
            {
                self.Tell(new JobDone(epoch, instruction, doing, null, e, start, clock.Seconds, default), ActorRefs.NoSender);
            }
        });
    }

    private void OnJobDone(JobDone done)
    {
        _doing.Dequeue();
        _since = _settings.Clock.Seconds;
        if (done.Error is { } error)
        {
            _log.Error(error, "Stage {0} failed at {1}", _plan.Stage, done.Doing);
            var step = _step?.Step ?? 0;
            Break(new StageProtocol.Failed(_plan.Run, _plan.Attempt, step, _plan.Stage, done.Doing, $"{error.GetType().Name}: {error.Message}", Outside: error is IOException));
            return;
        }

        if (done.Result is IWire answer)
        {
            Answer(answer);
        }
        else if (_program is not null)
        {
            _begun = true;
            if (done.Instruction is { } instruction)
            {
                OnInstructionDone(instruction, done);
            }

            Advance();
        }
    }

    private void OnInstructionDone(Instruction instruction, JobDone job)
    {
        if (_step!.Spans)
        {
            _spans.Add(new StageSpan(_plan.Stage, _step.Step, instruction, job.Start, job.End, job.Outside.Seconds));
        }

        _times = _times.With(instruction, job);
        if (job.Result is StepGradients gradients)
        {
            _gradients = new StageProtocol.GradientsReady(
                _plan.Run, _plan.Attempt, _step.Step, _plan.Stage, gradients.UnitNorms, gradients.Loss, gradients.NonFinite, gradients.Hidden);
            _coordinator.Tell(_gradients);
        }
    }
}
