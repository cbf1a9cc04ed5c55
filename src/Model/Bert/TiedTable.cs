using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>
/// The token table and the decoder are one matrix but gather their gradients apart, and these are added once at the end of
/// a step. So the sum has the same bits whether the two lie in one stage or in two.
/// </summary>
public static class TiedTable
{
    /// <summary>Adds the decoder's gradient [V, H] to the table's gradient in place.</summary>
    public static void AddGradient(Tensor table, Tensor decoderGradient)
    {
        using var noGrad = no_grad();
        using var own = table.grad;
        if (own is null)
        {
            table.grad = decoderGradient.clone().DetachFromDisposeScope();
            return;
        }

        own.add_(decoderGradient);
    }
}
