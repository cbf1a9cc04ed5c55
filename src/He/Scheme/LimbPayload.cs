using ActorTrainer.He.Backends;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>(c₀, c₁) or (c₀, c₁, c₂) in transformed form, with m·scale ≈ Σ cᵢ·sⁱ.</summary>
/// <param name="parts">Owned from here on.</param>
/// <param name="seed">What c₁ is expanded from, as long as no operation has changed it: on the wire it stands for c₁.</param>
internal sealed class LimbPayload(Polynomial[] parts, Seed? seed = null) : IPayload
{
    public Seed? Seed { get; } = seed;

    public Polynomial[] Parts { get; } = parts;

    public int Size => Parts.Length;

    /// <exception cref="MisuseException">It was made by another backend.</exception>
    public static Polynomial[] Of(IPayload payload) => payload is LimbPayload limbs
        ? limbs.Parts
        : throw new MisuseException("This is no ciphertext of the engine but of another backend. Give each backend its own ciphertexts.");

    public void Dispose() => Array.ForEach(Parts, part => part.Dispose());
}
