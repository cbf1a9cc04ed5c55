using ActorTrainer.Actors.Protocol;
using Akka.Actor;
using Akka.Event;

namespace ActorTrainer.Actors.Evaluation;

/// <summary>
/// Cuts the rows of requested evaluations into jobs, deals these to evaluators that have nothing to do, and puts the outputs together again.
/// An evaluator that ends or does not answer is replaced, and its job dealt again. <see cref="EvaluationState"/> decides.
/// </summary>
public sealed class EvaluationDirector : ReceiveActor, IWithTimers
{
    private readonly EvaluationSettings _settings;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<IActorRef, int> _numbers = [];
    private readonly Dictionary<int, IActorRef> _evaluators = [];
    private readonly Dictionary<string, (long Step, HashSet<IActorRef> Actors)> _askers = [];
    private readonly HashSet<IActorRef> _own = [];
    private readonly HashSet<IActorRef> _ending = [];
    private EvaluationState _state;
    private int _made;
    private int _met;

    /// <summary>Creates the actor.</summary>
    public EvaluationDirector(EvaluationSettings settings)
    {
        _settings = settings;
        _state = new EvaluationState(settings.Rows, settings.JobRows, settings.Batch);
        Receive<EvaluationProtocol.Evaluate>(OnEvaluate);
        Receive<IWire>(_ => { }, _ => _ending.Contains(Sender)); // what it said before it was stopped
        Receive<EvaluationProtocol.Want>(_ => Act(_state.Wanted(Number(Sender))));
        Receive<EvaluationProtocol.Scored>(scored => Act(_state.Scored(Number(Sender), scored)));
        Receive<EvaluationProtocol.JobFailed>(failed => Act(_state.Failed(Number(Sender), failed)));
        Receive<Overdue>(OnOverdue);
        Receive<Terminated>(OnTerminated);
        Receive<StartEvaluator>(_ => Start());
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!; // set by Akka

    /// <inheritdoc/>
    protected override void PreStart()
    {
        for (var i = 0; i < _settings.Evaluators; i++)
        {
            Start();
        }
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    /// <inheritdoc/>
    protected override void PostStop()
    {
        foreach (var (request, askers) in _askers)
        {
            Tell(askers.Actors, new EvaluationProtocol.Failed(request, askers.Step, "evaluation was stopped"));
        }
    }

    private static void Tell(IEnumerable<IActorRef> askers, EvaluationProtocol.IAnswer answer)
    {
        foreach (var asker in askers)
        {
            asker.Tell(answer);
        }
    }

    private void OnEvaluate(EvaluationProtocol.Evaluate request)
    {
        if (!_askers.TryGetValue(request.Request, out var askers))
        {
            _askers[request.Request] = askers = (request.Step, []);
        }

        askers.Actors.Add(Sender);
        Act(_state.Asked(request));
    }

    private void OnOverdue(Overdue overdue)
    {
        if (!_state.IsUnderWay(overdue.Evaluator, overdue.Number))
        {
            return;
        }

        var evaluator = _evaluators[overdue.Evaluator];
        _log.Warning("Evaluator {0} has not answered for {1} s and is replaced", evaluator.Path.Name, _settings.JobTimeout.TotalSeconds);
        Forget(evaluator, $"the evaluator did not answer within {_settings.JobTimeout.TotalSeconds:0.###} s");
        if (_own.Contains(evaluator))
        {
            _ending.Add(evaluator);
            Context.Stop(evaluator);
        }
    }

    private void OnTerminated(Terminated terminated)
    {
        _ending.Remove(terminated.ActorRef);
        Forget(terminated.ActorRef, "the evaluator ended");
        if (_own.Remove(terminated.ActorRef))
        {
            _log.Warning("Evaluator {0} ended and is replaced", terminated.ActorRef.Path.Name);
            Timers.StartSingleTimer(terminated.ActorRef.Path.Name, new StartEvaluator(), _settings.RestartDelay);
        }
    }

    private void Start()
    {
        var (director, settings) = (Self, _settings);
        var props = Props.Create(() => new EvaluatorActor(director, settings.Computation, settings.AskEvery));
        _own.Add(Context.Watch(Context.ActorOf(props, $"evaluator-{++_made}")));
    }

    /// <summary>The evaluator's number in the state. One that was given up and is heard of again is a new one.</summary>
    private int Number(IActorRef evaluator)
    {
        if (!_numbers.TryGetValue(evaluator, out var number))
        {
            _numbers[Context.Watch(evaluator)] = number = ++_met;
            _evaluators[number] = evaluator;
        }

        return number;
    }

    private void Forget(IActorRef evaluator, string reason)
    {
        if (_numbers.Remove(evaluator, out var number))
        {
            _evaluators.Remove(number);
            Act(_state.Lost(number, reason));
        }
    }

    private void Act((EvaluationState State, IReadOnlyList<EvaluationAction> Actions) decided)
    {
        _state = decided.State;
        foreach (var action in decided.Actions)
        {
            switch (action)
            {
                case EvaluationAction.Deal deal:
                    _evaluators[deal.Evaluator].Tell(deal.Assignment);
                    var key = $"job {deal.Assignment.Number}";
                    if (!Timers.IsTimerActive(key))
                    {
                        Timers.StartSingleTimer(key, new Overdue(deal.Evaluator, deal.Assignment.Number), _settings.JobTimeout);
                    }

                    break;
                case EvaluationAction.Answer answer when _askers.Remove(answer.Message.Request, out var askers):
                    Tell(askers.Actors, answer.Message);
                    break;
            }
        }
    }

    private sealed record Overdue(int Evaluator, long Number) : INoSerializationVerificationNeeded;

    private sealed record StartEvaluator : INoSerializationVerificationNeeded;
}
