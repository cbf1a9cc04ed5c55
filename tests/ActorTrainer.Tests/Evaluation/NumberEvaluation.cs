using System.Collections.Concurrent;
using ActorTrainer.Actors.Evaluation;
using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Tests.Evaluation;

/// <summary>Gives each row its number plus the number that the recipe holds.</summary>
internal sealed class NumberEvaluation(NumberEvaluation.World world) : IEvaluationComputation
{
    private float? _model;

    public void Load(EvaluationModel model)
    {
        world.Loads.Enqueue(model.Recipe);
        _model = float.Parse(model.Recipe, System.Globalization.CultureInfo.InvariantCulture);
    }

    public float[] Compute(string split, int first, int rows, int batch)
    {
        world.Calls.Enqueue((first, rows));
        world.Misfortune(first);
        return [.. Enumerable.Range(first, rows).Select(i => i + _model!.Value)];
    }

    public void Dispose() => Interlocked.Increment(ref world.Disposed);

    public static EvaluationModel Model(int number) => new($"{number}", new Dictionary<string, string>(), "");

    internal sealed class World
    {
        public int Disposed;

        public ConcurrentQueue<string> Loads { get; } = [];

        public ConcurrentQueue<(int First, int Rows)> Calls { get; } = [];

        /// <summary>Called with the first row of each job, on the evaluator's thread.</summary>
        public Action<int> Misfortune { get; set; } = _ => { };
    }
}
