using System.Collections.Immutable;
using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Evaluation;

/// <summary>Which requests there are, and who computes what: a pure fold over what evaluators and askers say. Evaluators are numbers here.</summary>
/// <param name="Rows">Rows of every split.</param>
/// <param name="JobRows">Rows of a job.</param>
/// <param name="Batch">Rows computed at a time.</param>
public sealed record EvaluationState(IReadOnlyDictionary<string, int> Rows, int JobRows, int Batch)
{
    /// <summary>Failures of a job that fail its request.</summary>
    public const int MostFailures = 3;

    /// <summary>Answers that are remembered for requests that come again.</summary>
    private const int Remembered = 4;

    /// <summary>Requests that are not answered, first come first.</summary>
    public ImmutableList<EvaluationProgress> Requests { get; init; } = [];

    /// <summary>Who computes what.</summary>
    public ImmutableSortedDictionary<int, Assignment> Assigned { get; init; } = ImmutableSortedDictionary<int, Assignment>.Empty;

    /// <summary>Evaluators that have nothing to do.</summary>
    public ImmutableSortedSet<int> Free { get; init; } = [];

    private ImmutableQueue<EvaluationProtocol.IAnswer> Answers { get; init; } = [];

    private long LastNumber { get; init; }

    /// <summary>An assignment that is under way.</summary>
    /// <param name="Job">Its job's number in the request.</param>
    /// <param name="Message">What was sent.</param>
    public sealed record Assignment(int Job, EvaluationProtocol.Assign Message);

    /// <summary>Somebody asks.</summary>
    public (EvaluationState State, IReadOnlyList<EvaluationAction> Actions) Asked(EvaluationProtocol.Evaluate request)
    {
        if (Answers.FirstOrDefault(a => a.Request == request.Request) is { } before)
        {
            return (this, [new EvaluationAction.Answer(before)]);
        }

        if (Requests.Any(r => r.Request.Request == request.Request))
        {
            return (this, []);
        }

        if (request.Splits.FirstOrDefault(split => !Rows.ContainsKey(split)) is { } unknown)
        {
            return Answered(new EvaluationProtocol.Failed(
                request.Request, request.Step, $"there is no split '{unknown}'; there are {string.Join(", ", Rows.Keys)}"));
        }

        var waiting = Requests.Where(r => !r.HasBegun && r.Request.Run == request.Run && request.Run.Length > 0).ToList();
        if (waiting.FirstOrDefault(r => r.Request.Step > request.Step) is { } later)
        {
            return Answered(new EvaluationProtocol.Superseded(request.Request, request.Step, later.Request.Step));
        }

        var (state, actions) = (this, (IReadOnlyList<EvaluationAction>)[]);
        foreach (var earlier in waiting.Where(r => r.Request.Step < request.Step))
        {
            (state, var more) = (state with { Requests = state.Requests.Remove(earlier) })
                .Answered(new EvaluationProtocol.Superseded(earlier.Request.Request, earlier.Request.Step, request.Step));
            actions = [.. actions, .. more];
        }

        var jobs = EvaluationJob.Cut(request.Splits.Distinct().Select(split => (split, Rows[split])), JobRows);
        var progress = EvaluationProgress.Start(request, jobs);
        return progress.IsDone
            ? state.Answered(progress.Answer(), actions)
            : (state with { Requests = state.Requests.Add(progress) }).Deal(actions);
    }

    /// <summary>An evaluator says that it has nothing to do. If that is not known here, what was sent to it or by it is lost: it is asked again.</summary>
    public (EvaluationState State, IReadOnlyList<EvaluationAction> Actions) Wanted(int evaluator) =>
        Assigned.TryGetValue(evaluator, out var assignment) ? (this, [new EvaluationAction.Deal(evaluator, assignment.Message)])
        : Free.Contains(evaluator) ? (this, [])
        : (this with { Free = Free.Add(evaluator) }).Deal([]);

    /// <summary>An evaluator has computed an assignment.</summary>
    public (EvaluationState State, IReadOnlyList<EvaluationAction> Actions) Scored(int evaluator, EvaluationProtocol.Scored scored)
    {
        if (!IsUnderWay(evaluator, scored.Number, out var assignment))
        {
            return (this, []);
        }

        var state = Freed(evaluator);
        if (state.Find(assignment) is not { } progress)
        {
            return state.Deal([]); // its request has failed meanwhile
        }

        if (progress.Fault(assignment.Job, scored.Outputs) is { } fault)
        {
            return state.Failed(evaluator, assignment, fault);
        }

        var done = progress.Done(assignment.Job, scored.Outputs);
        return done.IsDone
            ? (state with { Requests = state.Requests.Remove(progress) }).Answered(done.Answer())
            : (state with { Requests = state.Requests.Replace(progress, done) }).Deal([]);
    }

    /// <summary>An evaluator could not compute an assignment.</summary>
    public (EvaluationState State, IReadOnlyList<EvaluationAction> Actions) Failed(int evaluator, EvaluationProtocol.JobFailed failed) =>
        IsUnderWay(evaluator, failed.Number, out var assignment) ? Freed(evaluator).Failed(evaluator, assignment, failed.Reason) : (this, []);

    /// <summary>An evaluator has ended or is given up.</summary>
    public (EvaluationState State, IReadOnlyList<EvaluationAction> Actions) Lost(int evaluator, string reason)
    {
        var gone = this with { Free = Free.Remove(evaluator), Assigned = Assigned.Remove(evaluator) };
        return Assigned.TryGetValue(evaluator, out var assignment) ? gone.Failed(evaluator, assignment, reason) : gone.Deal([]);
    }

    /// <summary>Whether an evaluator has not answered an assignment.</summary>
    public bool IsUnderWay(int evaluator, long number) => IsUnderWay(evaluator, number, out _);

    private bool IsUnderWay(int evaluator, long number, out Assignment assignment)
    {
        var found = Assigned.TryGetValue(evaluator, out var known) && known.Message.Number == number;
        assignment = known!;
        return found;
    }

    private EvaluationState Freed(int evaluator) => this with { Assigned = Assigned.Remove(evaluator), Free = Free.Add(evaluator) };

    private EvaluationProgress? Find(Assignment assignment) => Requests.FirstOrDefault(r => r.Request.Request == assignment.Message.Request);

    private (EvaluationState State, IReadOnlyList<EvaluationAction> Actions) Failed(int evaluator, Assignment assignment, string reason)
    {
        if (Find(assignment) is not { } progress)
        {
            return Deal([]);
        }

        var failed = progress.Failed(assignment.Job, evaluator);
        return failed.Failures(assignment.Job) < MostFailures
            ? (this with { Requests = Requests.Replace(progress, failed) }).Deal([])
            : (this with { Requests = Requests.Remove(progress) }).Answered(new EvaluationProtocol.Failed(
                failed.Request.Request, failed.Request.Step, $"{failed.Jobs[assignment.Job]} failed {MostFailures} times, the last time because: {reason}"));
    }

    private (EvaluationState State, IReadOnlyList<EvaluationAction> Actions) Answered(
        EvaluationProtocol.IAnswer answer, IReadOnlyList<EvaluationAction>? before = null)
    {
        var answers = Answers.Enqueue(answer);
        var state = this with { Answers = answers.Count() > Remembered ? answers.Dequeue() : answers };
        return state.Deal([.. before ?? [], new EvaluationAction.Answer(answer)]);
    }

    /// <summary>Gives free evaluators the next jobs.</summary>
    private (EvaluationState State, IReadOnlyList<EvaluationAction> Actions) Deal(IReadOnlyList<EvaluationAction> before)
    {
        var state = this;
        var actions = before.ToList();
        foreach (var evaluator in Free)
        {
            foreach (var progress in state.Requests)
            {
                if (progress.Next(evaluator, [.. Free, .. Assigned.Keys]) is { } number)
                {
                    var job = progress.Jobs[number];
                    var message = new EvaluationProtocol.Assign(
                        progress.Request.Request, state.LastNumber + 1, progress.Request.Model, job.Split, job.First, job.Rows, Batch);
                    state = state with
                    {
                        LastNumber = message.Number,
                        Free = state.Free.Remove(evaluator),
                        Assigned = state.Assigned.Add(evaluator, new Assignment(number, message)),
                        Requests = state.Requests.Replace(progress, progress with { Waiting = progress.Waiting.Remove(number) }),
                    };
                    actions.Add(new EvaluationAction.Deal(evaluator, message));
                    break;
                }
            }
        }

        return (state, actions);
    }
}
