using System.Collections.Concurrent;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;

namespace ActorTrainer.Actors.Evaluation;

/// <summary>A director and its evaluators in this process, for evaluation alone or beside a run.</summary>
public sealed class LocalEvaluation
{
    private readonly IActorRef _director;
    private readonly ConcurrentDictionary<string, Task> _underWay = [];
    private long _requests;

    private LocalEvaluation(IActorRef director)
    {
        _director = director;
    }

    /// <summary>Starts the director and its evaluators.</summary>
    /// <param name="system">Where they live; stopping it ends them.</param>
    /// <param name="settings">Settings.</param>
    /// <param name="name">Name of the director's actor.</param>
    public static LocalEvaluation Start(IActorRefFactory system, EvaluationSettings settings, string name = "evaluation") =>
        new(system.ActorOf(Props.Create(() => new EvaluationDirector(settings)), name));

    /// <summary>Starts evaluators of plaintext models.</summary>
    /// <param name="system">Where they live.</param>
    /// <param name="shared">Rows, store and functions.</param>
    /// <param name="evaluators">Number of evaluators; each holds a copy of the model.</param>
    /// <param name="batch">Rows computed at a time.</param>
    public static LocalEvaluation Start(IActorRefFactory system, TensorEvaluationSettings shared, int evaluators, int batch) => Start(
        system,
        new EvaluationSettings
        {
            Rows = shared.Splits.ToDictionary(split => split.Key, split => split.Value.Count),
            Computation = () => new TensorEvaluation(shared),
            Evaluators = evaluators,
            Batch = batch,
            JobRows = Math.Max(1, 128 / batch) * batch, // whole batches: their make-up does not depend on the jobs then
        });

    /// <summary>
    /// Evaluates a model. The task ends with <see cref="EvaluationProtocol.Evaluated"/>, <see cref="EvaluationProtocol.Failed"/> (also when
    /// evaluation is stopped) or <see cref="EvaluationProtocol.Superseded"/>, and never with an exception but that of the token.
    /// </summary>
    /// <param name="run">A later checkpoint of the same run takes the place of one that has not begun; empty: never.</param>
    /// <param name="step">Step of the checkpoint.</param>
    /// <param name="model">The model.</param>
    /// <param name="splits">Names of splits.</param>
    /// <param name="stop">Gives up waiting.</param>
    public Task<EvaluationProtocol.IAnswer> Evaluate(
        string run, long step, EvaluationModel model, IReadOnlyList<string> splits, CancellationToken stop = default)
    {
        var request = new EvaluationProtocol.Evaluate($"{run}/{step}/{Interlocked.Increment(ref _requests)}", run, step, model, splits);
        var task = Ask(request, stop);
        _underWay[request.Request] = task;
        task.ContinueWith(_ => _underWay.TryRemove(request.Request, out Task? _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return task;
    }

    /// <summary>What to call for each committed checkpoint of a run, with its step and objects. It returns at once.</summary>
    /// <param name="run">Id of the run.</param>
    /// <param name="recipe">A <see cref="TensorEvaluationRecipe"/> as JSON.</param>
    /// <param name="splits">Names of splits.</param>
    /// <param name="answered">Told each answer, on some thread of the pool.</param>
    public Action<long, IReadOnlyDictionary<string, string>> OnCommit(
        string run, string recipe, IReadOnlyList<string> splits, Action<EvaluationProtocol.IAnswer> answered) => (step, objects) =>
        {
            var key = $"commit {run}/{step}";
            var task = Tell();
            _underWay[key] = task;
            task.ContinueWith(_ => _underWay.TryRemove(key, out Task? _), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);

            async Task Tell() => answered(await Evaluate(run, step, new EvaluationModel(recipe, objects, ""), splits).ConfigureAwait(false));
        };

    /// <summary>Waits until everything asked for so far is answered, and those who wanted the answers have been told.</summary>
    /// <exception cref="Exception">What a callback of <see cref="OnCommit"/> threw.</exception>
    public Task Settled() => Task.WhenAll(_underWay.Values);

    /// <summary>Ends director and evaluators; what is under way is answered with a failure.</summary>
    /// <param name="patience">How long to wait for that.</param>
    public async Task Stop(TimeSpan patience) => await _director.GracefulStop(patience).ConfigureAwait(false);

    private async Task<EvaluationProtocol.IAnswer> Ask(EvaluationProtocol.Evaluate request, CancellationToken stop)
    {
        using var given = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var asked = _director.Ask<EvaluationProtocol.IAnswer>(request, Timeout.InfiniteTimeSpan, given.Token);
        if (await Task.WhenAny(asked, _director.WatchAsync(given.Token)).ConfigureAwait(false) != asked && !asked.IsCompleted && !stop.IsCancellationRequested)
        {
            await given.CancelAsync().ConfigureAwait(false);
            return new EvaluationProtocol.Failed(request.Request, request.Step, "evaluation was stopped");
        }

        var answer = await asked.ConfigureAwait(false);
        await given.CancelAsync().ConfigureAwait(false);
        return answer;
    }
}
