using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.Bench;

/// <summary>A part of encrypted training with made weights and inputs, for any backend.</summary>
internal interface IMadeProgram
{
    Packing Packing { get; }

    /// <summary>Everything that comes out, in one row.</summary>
    /// <param name="encrypt">Slots to a ciphertext.</param>
    IReadOnlyList<MadeResult> Run(TensorMath math, Func<double[], Ciphertext> encrypt);
}

/// <param name="Kind">What it is, as errors are told: outputs, gradients, updates.</param>
/// <param name="Period">Vectors packed in it, the k-th at slots k, k + Period and so on; 1 for a plain one.</param>
internal sealed record MadeResult(string Kind, Ciphertext Value, int Period = 1);
