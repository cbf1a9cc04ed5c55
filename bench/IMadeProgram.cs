using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.Bench;

/// <summary>A part of encrypted training with made weights and inputs, for any backend.</summary>
internal interface IMadeProgram
{
    Packing Packing { get; }

    /// <summary>Everything that comes out, in one row.</summary>
    /// <param name="encrypt">Slots to a ciphertext.</param>
    IReadOnlyList<Ciphertext> Run(TensorMath math, Func<double[], Ciphertext> encrypt);
}
