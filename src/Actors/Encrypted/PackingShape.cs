using ActorTrainer.He.Parameters;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>What decides where numbers lie in ciphertexts, for files and messages: see <see cref="Packing"/>.</summary>
/// <param name="Tokens">T, a power of two.</param>
/// <param name="Batch">B: examples of a micro-batch, a power of two.</param>
/// <param name="Heads">Attention heads.</param>
/// <param name="HeadWidth">Features of a head.</param>
public sealed record PackingShape(int Tokens, int Batch, int Heads, int HeadWidth)
{
    /// <summary>The packing in ciphertexts of these parameters.</summary>
    /// <exception cref="RefusedException">It does not fit; tells what does.</exception>
    public Packing Of(CkksParameters parameters)
    {
        try
        {
            return new Packing(parameters.Slots, Tokens, Batch, Heads, HeadWidth);
        }
        catch (ArgumentException e)
        {
            throw new RefusedException($"{Tokens} tokens (he.tokens) of {Batch} examples (he.batch), {Heads} heads of {HeadWidth}, do not fit {parameters.Name}: {e.Message}", e);
        }
    }
}
