using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>m·scale ≈ Σ cᵢ·sⁱ, all parts in transformed form. Native memory until disposed.</summary>
public sealed class SealCiphertext : IDisposable
{
    public const int MinSize = 2;
    public const int MaxSize = 16;

    internal SealCiphertext(Polynomial[] parts, ParmsId id, double scale, SealSeed? seed = null) => (Parts, Id, Scale, Seed) = (parts, id, scale, seed);

    /// <summary>Of parameters and level.</summary>
    public ParmsId Id { get; }

    public int Level => Parts[0].Limbs - 1;

    /// <summary>Parts: 2, or more before relinearisation.</summary>
    public int Size => Parts.Length;

    public double Scale { get; }

    /// <summary>What the second part was expanded from, if it was; such a ciphertext is written at half its size.</summary>
    public SealSeed? Seed { get; }

    internal Polynomial[] Parts { get; }

    public void Dispose() => Array.ForEach(Parts, part => part.Dispose());

    public override string ToString() => FormattableString.Invariant($"SEAL ciphertext of {Size} parts at level {Level}, scale 2^{Math.Log2(Scale):F6}");
}
