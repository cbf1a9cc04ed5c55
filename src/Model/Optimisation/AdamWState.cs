using static TorchSharp.torch;

namespace ActorTrainer.Model.Optimisation;

/// <summary>AdamW's memory of one parameter: two tensors of its shape, in no dispose scope.</summary>
public sealed class AdamWState : IDisposable
{
    internal AdamWState(Tensor parameter)
    {
        using var noGrad = no_grad();
        ExpAvg = zeros_like(parameter).DetachFromDisposeScope();
        ExpAvgSq = zeros_like(parameter).DetachFromDisposeScope();
    }

    /// <summary>m: running mean of the gradient.</summary>
    public Tensor ExpAvg { get; }

    /// <summary>v: running mean of the squared gradient.</summary>
    public Tensor ExpAvgSq { get; }

    /// <summary>Frees both.</summary>
    public void Dispose()
    {
        ExpAvg.Dispose();
        ExpAvgSq.Dispose();
    }
}
