using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>What a head makes of an evaluation's micro-batch.</summary>
/// <param name="LossSum">Sum of the targets' losses.</param>
/// <param name="Correct">Targets predicted right; 0 for a real number.</param>
/// <param name="Targets">Number of targets.</param>
/// <param name="Outputs">Logits [targets × outputs] row by row where they are few, else empty.</param>
public readonly record struct HeadScore(double LossSum, long Correct, long Targets, float[] Outputs);

/// <summary>The last unit: from the encoder's output to a loss.</summary>
public abstract class HeadUnit : ModelUnit
{
    protected HeadUnit(int index)
        : base(index, "head")
    {
    }

    /// <summary><paramref name="scale"/> × the sum of the losses, a scalar in nats (squared error for a real number): losses of micro-batches add up.</summary>
    /// <param name="hidden">[B, S, hidden].</param>
    /// <param name="targets">What the batch source sends with the micro-batch.</param>
    /// <param name="scale">Usually 1 / number of targets of the whole step.</param>
    public abstract Tensor Loss(Tensor hidden, IReadOnlyList<Tensor> targets, double scale, ForwardContext context);

    /// <summary>Scores a micro-batch; keeps no graph.</summary>
    public abstract HeadScore Evaluate(Tensor hidden, IReadOnlyList<Tensor> targets, ForwardContext context);
}
