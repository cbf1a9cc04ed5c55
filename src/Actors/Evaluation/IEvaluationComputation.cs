using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Evaluation;

/// <summary>What an evaluator computes. Called by one thread, the same each time.</summary>
public interface IEvaluationComputation : IDisposable
{
    /// <summary>Takes a model in place of the one before. After it has thrown, the computation is disposed of.</summary>
    void Load(EvaluationModel model);

    /// <summary>Outputs of the loaded model for rows of a split: [rows × outputs], row by row.</summary>
    /// <param name="split">Name of the split.</param>
    /// <param name="first">First row, from 0.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="batch">Rows to compute at a time.</param>
    float[] Compute(string split, int first, int rows, int batch);
}
