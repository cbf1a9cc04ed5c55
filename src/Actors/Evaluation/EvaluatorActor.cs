using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Stages;
using Akka.Actor;
using Akka.Event;

namespace ActorTrainer.Actors.Evaluation;

/// <summary>
/// Computes one assignment at a time on a thread of its own. While it has none it says so; an assignment that comes again is answered as
/// before, and one that comes while it computes is dropped: the director sends it again.
/// </summary>
public sealed class EvaluatorActor : ReceiveActor, IWithTimers
{
    private readonly IActorRef _director;
    private readonly Func<IEvaluationComputation> _make;
    private readonly TimeSpan _askEvery;
    private readonly StageWorker _worker;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    // Of the thread.
    private IEvaluationComputation? _computation;
    private string? _loaded;

    private EvaluationProtocol.Assign? _current;
    private IWire? _answer;

    /// <summary>Creates the actor.</summary>
    /// <param name="director">Who deals the jobs.</param>
    /// <param name="make">Makes the computation; called on the thread.</param>
    /// <param name="askEvery">How often it says that it has nothing to do.</param>
    public EvaluatorActor(IActorRef director, Func<IEvaluationComputation> make, TimeSpan askEvery)
    {
        _director = director;
        _make = make;
        _askEvery = askEvery;
        _worker = new StageWorker(Self.Path.Name);
        Receive<EvaluationProtocol.Assign>(OnAssign);
        Receive<Done>(OnDone);
        Receive<Tick>(_ => Ask());
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!; // set by Akka

    /// <inheritdoc/>
    protected override void PreStart()
    {
        Ask();
        Timers.StartPeriodicTimer(Tick.Key, Tick.Instance, _askEvery);
    }

    /// <inheritdoc/>
    protected override void PostStop() => _worker.Finish(Release);

    private void Ask()
    {
        if (_current is null || _answer is not null)
        {
            _director.Tell(new EvaluationProtocol.Want());
        }
    }

    private void OnAssign(EvaluationProtocol.Assign assign)
    {
        if (_current is not null && _answer is null)
        {
            return;
        }

        if (_current is { } last && (last.Request, last.Number) == (assign.Request, assign.Number))
        {
            _director.Tell(_answer);
            return;
        }

        _current = assign;
        _answer = null;
        var self = Self;
        _worker.Post(() => self.Tell(new Done(Compute(assign))));
    }

    private void OnDone(Done done)
    {
        _answer = done.Answer;
        _director.Tell(_answer);
    }

    private IWire Compute(EvaluationProtocol.Assign assign)
    {
        try
        {
            _computation ??= _make();
            if (_loaded != assign.Request)
            {
                _loaded = null;
                _computation.Load(assign.Model);
                _loaded = assign.Request;
            }

            return new EvaluationProtocol.Scored(assign.Request, assign.Number, _computation.Compute(assign.Split, assign.First, assign.Rows, assign.Batch));
        }
        catch (Exception e)
        {
            _log.Warning(e, "{0} rows of {1} from {2} on could not be evaluated", assign.Rows, assign.Split, assign.First);
            Release();
            return new EvaluationProtocol.JobFailed(assign.Request, assign.Number, $"{e.GetType().Name}: {e.Message}");
        }
    }

    private void Release()
    {
        try
        {
            _computation?.Dispose();
        }
        catch (Exception e)
        {
            _log.Error(e, "An evaluator's memory could not be freed");
        }

        _computation = null;
        _loaded = null;
    }

    private sealed record Done(IWire Answer) : INoSerializationVerificationNeeded;

    private sealed record Tick : INoSerializationVerificationNeeded
    {
        public const string Key = "ask";
        public static readonly Tick Instance = new();
    }
}
