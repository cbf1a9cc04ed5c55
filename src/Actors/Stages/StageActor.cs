using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Telemetry;
using Akka.Actor;
using Akka.Event;

namespace ActorTrainer.Actors.Stages;

/// <summary>What a stage actor needs besides its messages.</summary>
/// <param name="Plane">Data plane.</param>
/// <param name="Schedule">Schedule of training steps.</param>
/// <param name="Chunks">Model parts per stage.</param>
/// <param name="StallTimeout">Wait for one transfer after which the coordinator is told.</param>
/// <param name="Clock">Run clock, in seconds: spans of all stages are drawn on it.</param>
public sealed record StageSettings(IDataPlane Plane, ScheduleKind Schedule, int Chunks, TimeSpan StallTimeout, RunClock Clock);

/// <summary>
/// A layer-shard actor: walks through its program of a step, gives compute instructions to its thread, and moves payloads
/// between data plane and computation. It never blocks, so status questions are answered while the thread computes.
/// Messages and transfers of an earlier attempt or step are dropped and counted.
/// </summary>
public sealed class StageActor : ReceiveActor, IWithTimers
{
    /// <summary>
    /// Jobs given to the thread at a time. With a second one waiting, the thread goes on by itself instead of idling until this actor
    /// has been scheduled.
    /// </summary>
    private const int LookAhead = 2;

    private readonly StageSettings _settings;
    private readonly IStageComputation _computation;
    private readonly StageWorker _worker;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly List<Arrived> _early = [];
    private readonly List<StageSpan> _spans = [];

    private StageProtocol.Prepare _plan = new("", 0, 0, 1, [], "", new Dictionary<string, string>());
    private IActorRef _coordinator = ActorRefs.Nobody;
    private StageProtocol.RunStep? _step;
    private StageProgram? _program;
    private readonly Queue<string> _doing = [];
    private long _epoch;
    private bool _begun;
    private double _since;
    private StageTimes _times;

    /// <summary>Creates the actor; it owns the computation.</summary>
    public StageActor(StageSettings settings, IStageComputation computation, string name)
    {
        _settings = settings;
        _computation = computation;
        _worker = new StageWorker(name);

        Receive<StageProtocol.Prepare>(OnPrepare);
        Receive<StageProtocol.RunStep>(OnRunStep, IsCurrent);
        Receive<StageProtocol.Update>(OnUpdate, m => IsCurrent(m) && m.Step == _step?.Step);
        Receive<StageProtocol.Save>(OnSave, IsCurrent);
        Receive<StageProtocol.AskStatus>(_ => Sender.Tell(Status()), IsCurrent);
        Receive<Arrived>(OnArrived);
        Receive<JobDone>(OnJobDone, done => done.Epoch == _epoch);
        Receive<JobDone>(done => (done.Result as IDisposable)?.Dispose());
        Receive<StallCheck>(OnStallCheck);
        Receive<IAttemptMessage>(m => Drop(m.ToString()!));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!; // set by Akka

    /// <summary>Stale messages and transfers dropped so far.</summary>
    internal long Dropped { get; private set; }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _program?.Dispose();
        _early.ForEach(arrived => arrived.Payload.Dispose());
        var log = _log;
        _worker.Finish(() =>
        {
            try
            {
                _computation.Dispose();
            }
            catch (Exception e)
            {
                log.Error(e, "A stage's memory could not be freed");
            }
        });
    }

    private bool IsCurrent(IAttemptMessage message) => message.Run == _plan.Run && message.Attempt == _plan.Attempt;

    private void OnPrepare(StageProtocol.Prepare plan)
    {
        if (plan.Run == _plan.Run && plan.Attempt <= _plan.Attempt)
        {
            Drop(plan.ToString());
            return;
        }

        _plan = plan;
        _coordinator = Sender;
        EndProgram();
        DropEarly(arrived => arrived.Key.Run != plan.Run || arrived.Key.Attempt < plan.Attempt);
        Post(null, "Prepare", () =>
        {
            _computation.Prepare(plan);
            return new StageProtocol.Ready(plan.Run, plan.Attempt, plan.Stage);
        });
    }

    private void OnRunStep(StageProtocol.RunStep step)
    {
        EndProgram();
        var instructions = step.Phase == Phase.Train
            ? PipelineSchedule.Build(_settings.Schedule, _plan.Stage, _plan.Stages, step.MicroBatches, _settings.Chunks)
            : PipelineSchedule.Evaluation(_plan.Stage, _plan.Stages, step.MicroBatches, _settings.Chunks);
        _step = step;
        _times = StageTimes.None;
        _program = new StageProgram(step, _plan.Stage, _plan.Stages, _plan.PartSizes.Count, instructions);
        foreach (var arrived in _early.Where(a => a.Key.CompareToProgram(step.Attempt, step.Step, step.Phase) == 0).ToList())
        {
            _early.Remove(arrived);
            Accept(arrived);
        }

        DropEarly(arrived => arrived.Key.CompareToProgram(step.Attempt, step.Step, step.Phase) < 0);
        Post(null, "Begin", () =>
        {
            _computation.Begin(step);
            return null;
        });
    }

    private void OnArrived(Arrived arrived)
    {
        var order = arrived.Key.Run != _plan.Run ? -1
            : _step is null ? arrived.Key.Attempt.CompareTo(_plan.Attempt) is var byAttempt && byAttempt < 0 ? -1 : 1
            : arrived.Key.CompareToProgram(_plan.Attempt, _step.Step, _step.Phase);
        if (order > 0)
        {
            _early.Add(arrived);
        }
        else if (order < 0 || _program is null)
        {
            arrived.Payload.Dispose();
            Drop(arrived.Key.ToString());
        }
        else
        {
            Accept(arrived);
            Advance();
        }
    }

    private void Accept(Arrived arrived)
    {
        if (!_program!.Accept(arrived.Key, arrived.Payload))
        {
            arrived.Payload.Dispose();
            Drop(arrived.Key.ToString());
        }
    }

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

            _settings.Plane.Send(stage, key, payload);
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
            spans));
    }

    private Func<object?> JobOf(Instruction i)
    {
        var program = _program!;
        switch (i.Kind)
        {
            case InstructionKind.Forward:
                var input = program.Take(TransferKind.Activation, i);
                var targets = program.PartOf(i.Chunk) == _plan.PartSizes.Count - 1 ? program.Take(TransferKind.Targets, i) : null;
                return () => _computation.Forward(i.Chunk, i.MicroBatch, input, targets);
            case InstructionKind.Backward:
                var gradient = program.PartOf(i.Chunk) == _plan.PartSizes.Count - 1 ? null : program.Take(TransferKind.Gradient, i);
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
            Drop(update.ToString());
            return;
        }

        Post(instruction, instruction.ToString(), () =>
        {
            _computation.Update(update);
            return null;
        });
        _program.Advance();
    }

    private void OnSave(StageProtocol.Save save) => Post(null, "Save", () =>
        new StageProtocol.Saved(save.Run, save.Attempt, save.Step, _plan.Stage, _computation.Save()));

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
            var start = clock.Seconds;
            try
            {
                var result = job();
                self.Tell(new JobDone(epoch, instruction, doing, result, null, start, clock.Seconds), ActorRefs.NoSender);
            }
            catch (Exception e)
            {
                self.Tell(new JobDone(epoch, instruction, doing, null, e, start, clock.Seconds), ActorRefs.NoSender);
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
            EndProgram();
            _coordinator.Tell(new StageProtocol.Failed(_plan.Run, _plan.Attempt, step, _plan.Stage, done.Doing, $"{error.GetType().Name}: {error.Message}"));
            return;
        }

        if (done.Result is IWire answer)
        {
            _coordinator.Tell(answer);
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
            _spans.Add(new StageSpan(_plan.Stage, _step.Step, instruction, job.Start, job.End));
        }

        _times = _times.With(instruction, job.Start, job.End);
        if (job.Result is StepGradients gradients)
        {
            _coordinator.Tell(new StageProtocol.GradientsReady(
                _plan.Run, _plan.Attempt, _step.Step, _plan.Stage, gradients.UnitNorms, gradients.Loss, gradients.NonFinite));
        }
    }

    private void StartWaiting()
    {
        if (_doing.Count == 0 && !Timers.IsTimerActive(StallCheck.Key))
        {
            Timers.StartPeriodicTimer(StallCheck.Key, new StallCheck(_epoch), _settings.StallTimeout);
        }
    }

    private void OnStallCheck(StallCheck check)
    {
        if (_doing.Count == 0 && check.Epoch == _epoch && _program is not null)
        {
            _coordinator.Tell(new StageProtocol.Waiting(_plan.Run, _plan.Attempt, _step!.Step, _plan.Stage));
        }
    }

    private StageProtocol.Status Status()
    {
        var busy = _doing.TryPeek(out var doing);
        var text = busy ? $"computes {doing}"
            : _program?.Current is null ? "has nothing to do"
            : _program.Missing.Any() ? _program.DescribeWait()
            : $"waits at {_program.Current} for the coordinator";
        return new StageProtocol.Status(_plan.Run, _plan.Attempt, _step?.Step ?? 0, _plan.Stage, busy, _settings.Clock.Seconds - _since, text);
    }

    private void EndProgram()
    {
        Timers.Cancel(StallCheck.Key);
        Interlocked.Increment(ref _epoch); // jobs still running belong to the past: their results are dropped
        _doing.Clear();
        _begun = false;
        _program?.Dispose();
        _program = null;
        _step = null;
        _spans.Clear();
    }

    private void DropEarly(Predicate<Arrived> stale)
    {
        foreach (var arrived in _early.Where(a => stale(a)).ToList())
        {
            _early.Remove(arrived);
            arrived.Payload.Dispose();
            Drop(arrived.Key.ToString());
        }
    }

    private void Drop(string what)
    {
        Dropped++;
        _log.Debug("Stage {0} dropped a stale message ({1} so far): {2}", _plan.Stage, Dropped, what);
    }

    private sealed record JobDone(long Epoch, Instruction? Instruction, string Doing, object? Result, Exception? Error, double Start, double End)
        : INoSerializationVerificationNeeded;

    private sealed record StallCheck(long Epoch) : INoSerializationVerificationNeeded
    {
        public static readonly string Key = "stall";
    }

    /// <summary>Busy time and window of forwards and backwards, seconds on the run clock.</summary>
    private readonly record struct StageTimes(double Busy, double First, double Last)
    {
        public static readonly StageTimes None = new(0, double.NaN, double.NaN);

        public StageTimes With(Instruction instruction, double start, double end) =>
            instruction.Kind is InstructionKind.Forward or InstructionKind.Backward
                ? new StageTimes(Busy + end - start, double.IsNaN(First) ? start : First, end)
                : this;
    }
}
