using MessagePack;

namespace ActorTrainer.Actors.Protocol;

/// <summary>
/// Messages between those who want a model evaluated, the director, and the evaluators. Any of them may be lost, come twice or late: an
/// evaluator that has nothing to do says so again and again, and a job is done when its first answer comes.
/// </summary>
public static class EvaluationProtocol
{
    /// <summary>What ends a request.</summary>
    public interface IAnswer : IWire
    {
        /// <summary>The request.</summary>
        string Request { get; }

        /// <summary>Step of the checkpoint.</summary>
        long Step { get; }
    }

    /// <summary>Compute the outputs of a model for all rows of splits; answered by an <see cref="IAnswer"/>.</summary>
    /// <param name="Request">Id, unique; a request that comes again is answered as before.</param>
    /// <param name="Run">A later checkpoint of the same run takes the place of one that has not begun; empty: never.</param>
    /// <param name="Step">Step of the checkpoint.</param>
    /// <param name="Model">The model.</param>
    /// <param name="Splits">Names of the splits.</param>
    [MessagePackObject]
    public sealed record Evaluate(
        [property: Key(0)] string Request,
        [property: Key(1)] string Run,
        [property: Key(2)] long Step,
        [property: Key(3)] EvaluationModel Model,
        [property: Key(4)] IReadOnlyList<string> Splits) : IWire;

    /// <summary>An evaluator has nothing to do.</summary>
    [MessagePackObject]
    public sealed record Want : IWire;

    /// <summary>Compute some rows; answered by <see cref="Scored"/> or <see cref="JobFailed"/>.</summary>
    /// <param name="Request">The request.</param>
    /// <param name="Number">Number of this assignment; a job that is dealt again gets another one.</param>
    /// <param name="Model">The model.</param>
    /// <param name="Split">Name of the split.</param>
    /// <param name="First">First row, from 0.</param>
    /// <param name="Rows">Rows.</param>
    /// <param name="Batch">Rows to compute at a time.</param>
    [MessagePackObject]
    public sealed record Assign(
        [property: Key(0)] string Request,
        [property: Key(1)] long Number,
        [property: Key(2)] EvaluationModel Model,
        [property: Key(3)] string Split,
        [property: Key(4)] int First,
        [property: Key(5)] int Rows,
        [property: Key(6)] int Batch) : IWire;

    /// <summary>The outputs of an assignment's rows.</summary>
    /// <param name="Request">The request.</param>
    /// <param name="Number">The assignment.</param>
    /// <param name="Outputs">[rows × outputs], row by row.</param>
    [MessagePackObject]
    public sealed record Scored(
        [property: Key(0)] string Request,
        [property: Key(1)] long Number,
        [property: Key(2)] float[] Outputs) : IWire;

    /// <summary>An assignment could not be computed.</summary>
    [MessagePackObject]
    public sealed record JobFailed(
        [property: Key(0)] string Request,
        [property: Key(1)] long Number,
        [property: Key(2)] string Reason) : IWire;

    /// <summary>All rows are computed.</summary>
    /// <param name="Request">The request.</param>
    /// <param name="Step">Step of the checkpoint.</param>
    /// <param name="Outputs">Split → [rows × outputs], in the order of the rows.</param>
    [MessagePackObject]
    public sealed record Evaluated(
        [property: Key(0)] string Request,
        [property: Key(1)] long Step,
        [property: Key(2)] IReadOnlyDictionary<string, float[]> Outputs) : IAnswer;

    /// <summary>The request cannot be fulfilled.</summary>
    [MessagePackObject]
    public sealed record Failed(
        [property: Key(0)] string Request,
        [property: Key(1)] long Step,
        [property: Key(2)] string Reason) : IAnswer;

    /// <summary>A later checkpoint of the run came before this one was begun.</summary>
    /// <param name="Request">The request.</param>
    /// <param name="Step">Step of its checkpoint.</param>
    /// <param name="By">Step of the checkpoint that takes its place.</param>
    [MessagePackObject]
    public sealed record Superseded(
        [property: Key(0)] string Request,
        [property: Key(1)] long Step,
        [property: Key(2)] long By) : IAnswer;
}

/// <summary>A model to evaluate: units in a store, or a folder.</summary>
/// <param name="Recipe">Settings that only the computation understands (JSON).</param>
/// <param name="Objects">Unit name → hash of its state, and <c>base/</c> + unit name → hash of what it is based on; empty with a folder.</param>
/// <param name="Folder">Folder of a fine-tuned model; empty: units in a store.</param>
[MessagePackObject]
public sealed record EvaluationModel(
    [property: Key(0)] string Recipe,
    [property: Key(1)] IReadOnlyDictionary<string, string> Objects,
    [property: Key(2)] string Folder);
