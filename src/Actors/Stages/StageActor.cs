using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Telemetry;
using Akka.Actor;
using Akka.Event;

namespace ActorTrainer.Actors.Stages;

/// <summary>What a stage actor needs besides its messages.</summary>
/// <param name="Plane">Data plane.</param>
/// <param name="Objects">Brings unit states here and copies them to other nodes.</param>
/// <param name="Clock">Run clock, in seconds: spans of all stages are drawn on it.</param>
public sealed record StageSettings(IDataPlane Plane, IObjectExchange Objects, RunClock Clock);

/// <summary>
/// A layer-shard actor: walks through its program of a step, gives compute instructions to its thread, and moves payloads
/// between data plane and computation. It never blocks, so status questions are answered while the thread computes.
/// Messages and transfers of an earlier attempt or step are dropped and counted. Commands may come twice: a repeated one is answered with
/// what was answered before, or not at all while it is worked on.
/// </summary>
public sealed partial class StageActor : ReceiveActor, IWithTimers
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

    private StageProtocol.Prepare _plan = Nothing;
    private IActorRef _coordinator = ActorRefs.Nobody;
    private StageProtocol.RunStep? _step;
    private StageProgram? _program;
    private StageProtocol.RunStep? _begunLast;
    private StageProtocol.GradientsReady? _gradients;
    private long _saving;
    private IWire? _answer;
    private IWire? _broken;
    private readonly Queue<string> _doing = [];
    private long _epoch;
    private bool _begun;
    private double _since;
    private (long Seen, double At) _progress;
    private StageTimes _times;

    private static readonly StageProtocol.Prepare Nothing = new(
        "", 0, 0, 1, [1], "", new Dictionary<string, string>(), ScheduleKind.GPipe, 0, [], new Dictionary<string, IReadOnlyList<string>>(), []);

    /// <summary>Creates the actor; it owns the computation.</summary>
    public StageActor(StageSettings settings, IStageComputation computation, string name)
    {
        _settings = settings;
        _computation = computation;
        _worker = new StageWorker(name);

        Receive<IAttemptMessage>(_ => _coordinator.Tell(_broken), m => _broken is not null && IsCurrent(m) && m is not StageProtocol.AskStatus);
        Receive<StageProtocol.Prepare>(OnPrepare);
        Receive<StageProtocol.RunStep>(OnRunStep, IsCurrent);
        Receive<StageProtocol.Update>(OnUpdate, m => IsCurrent(m) && m.Step == _step?.Step);
        Receive<StageProtocol.Save>(OnSave, IsCurrent);
        Receive<StageProtocol.AskStatus>(_ => Sender.Tell(Status()), IsCurrent);
        Receive<Arrived>(OnArrived);
        Receive<JobDone>(OnJobDone, done => done.Epoch == _epoch);
        Receive<JobDone>(done => (done.Result as IDisposable)?.Dispose());
        Receive<StallCheck>(OnStallCheck);
        Receive<LinkLost>(OnLinkLost);
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
        _computation.Abandon();
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
            if (plan.Attempt < _plan.Attempt || _begunLast is not null || !Repeat())
            {
                Drop(plan.ToString());
            }

            return;
        }

        _plan = plan;
        _coordinator = Sender;
        _begunLast = null;
        _broken = null;
        _saving = -1;
        _computation.Abandon();
        EndProgram();
        _settings.Plane.Join(plan.Run, plan.Attempt, plan.Stage, Self, plan.Peers);
        DropEarly(arrived => arrived.Key.Run != plan.Run || arrived.Key.Attempt < plan.Attempt);
        Post(null, "Prepare", () =>
        {
            _settings.Objects.Begin(plan.Sources, plan.Replicas);
            _computation.Prepare(plan);
            _settings.Objects.Secure(
                _computation.Units.SelectMany(unit => new[] { unit, BaseObjects.Key(unit) }).Where(plan.Objects.ContainsKey).Select(key => plan.Objects[key]));
            return new StageProtocol.Ready(plan.Run, plan.Attempt, plan.Stage);
        });
    }

    private void OnRunStep(StageProtocol.RunStep step)
    {
        if (_begunLast is { } last && (step.Step, step.Phase).CompareTo((last.Step, last.Phase)) is var order && order <= 0)
        {
            if (order < 0 || !Repeat())
            {
                Drop(step.ToString());
            }

            return;
        }

        EndProgram();
        _begunLast = step;
        var instructions = step.Phase == Phase.Train
            ? PipelineSchedule.Build(_plan.Schedule, _plan.Stage, _plan.Stages, step.MicroBatches, _plan.Topology.Chunks, _plan.Tied)
            : PipelineSchedule.Evaluation(_plan.Stage, _plan.Stages, step.MicroBatches, _plan.Topology.Chunks);
        _step = step;
        _times = StageTimes.None;
        _program = new StageProgram(step, _plan.Stage, _plan.Topology, instructions);
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

    private void OnSave(StageProtocol.Save save)
    {
        if (save.Step <= _saving)
        {
            if (save.Step < _saving || !Repeat())
            {
                Drop(save.ToString());
            }

            return;
        }

        _saving = save.Step;
        _answer = null;
        Post(null, "Save", () =>
        {
            _settings.Objects.BeginSave(save.Step);
            var objects = _computation.Save();
            _settings.Objects.Secure(objects.Values);
            return new StageProtocol.Saved(save.Run, save.Attempt, save.Step, _plan.Stage, objects);
        });
    }

    /// <summary>A peer cannot be reached: the attempt is lost.</summary>
    private void OnLinkLost(LinkLost lost)
    {
        if (lost.Run == _plan.Run && lost.Attempt == _plan.Attempt)
        {
            Break(new StageProtocol.LinkDown(_plan.Run, _plan.Attempt, _plan.Stage, lost.Peer, lost.Reason));
        }
    }

    /// <summary>The attempt is lost here: from now on every command of it is answered with that.</summary>
    private void Break(IWire answer)
    {
        _computation.Abandon();
        EndProgram();
        _broken = answer;
        _coordinator.Tell(answer);
    }

    private void Answer(IWire answer)
    {
        _answer = answer;
        _coordinator.Tell(answer);
    }

    /// <summary>Answers a repeated command as before; false while it is still worked on.</summary>
    private bool Repeat()
    {
        if (_answer is null && _gradients is not null && _program?.Current is { Kind: InstructionKind.OptimiserStep })
        {
            _coordinator.Tell(_gradients);
            return true;
        }

        if (_answer is not null)
        {
            _coordinator.Tell(_answer);
        }

        return _answer is not null;
    }

    private void StartWaiting()
    {
        if (_doing.Count == 0 && !Timers.IsTimerActive(StallCheck.Key))
        {
            Timers.StartPeriodicTimer(StallCheck.Key, new StallCheck(_epoch), TimeSpan.FromSeconds(_plan.StallTimeout));
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
        var outage = busy ? _computation.Outage : null;
        var text = outage is not null ? $"waits in {doing} for {outage}"
            : busy ? $"computes {doing}"
            : _program?.Current is null ? "has nothing to do"
            : _program.Missing.Any() ? _program.DescribeWait()
            : $"waits at {_program.Current} for the coordinator";
        var seconds = outage is null ? _settings.Clock.Seconds - _since : 0; // a pause is no stall
        return new StageProtocol.Status(_plan.Run, _plan.Attempt, _step?.Step ?? 0, _plan.Stage, busy, seconds, text, busy ? Math.Min(seconds, Silent()) : seconds);
    }

    /// <summary>Seconds since the computation was first seen where it is now: it is looked at only when somebody asks.</summary>
    private double Silent()
    {
        if (_computation.Progress is var progress && progress != _progress.Seen)
        {
            _progress = (progress, _settings.Clock.Seconds);
        }

        return _settings.Clock.Seconds - _progress.At;
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
        _gradients = null;
        _answer = null;
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

    private sealed record JobDone(long Epoch, Instruction? Instruction, string Doing, object? Result, Exception? Error, double Start, double End, OutsideWork Outside)
        : INoSerializationVerificationNeeded;

    private sealed record StallCheck(long Epoch) : INoSerializationVerificationNeeded
    {
        public static readonly string Key = "stall";
    }

    /// <summary>Busy time and window of forwards and backwards, and time of all instructions; seconds on the run clock.</summary>
    private readonly record struct StageTimes(double Busy, double First, double Last, double Working, OutsideWork Outside)
    {
        public static readonly StageTimes None = new(0, double.NaN, double.NaN, 0, default);

        public StageTimes With(Instruction instruction, JobDone job)
        {
            var all = this with { Working = Working + job.End - job.Start, Outside = Outside + job.Outside };
            return instruction.Kind is InstructionKind.Forward or InstructionKind.Backward
                ? all with { Busy = Busy + job.End - job.Start, First = double.IsNaN(First) ? job.Start : First, Last = job.End }
                : all;
        }
    }
}
