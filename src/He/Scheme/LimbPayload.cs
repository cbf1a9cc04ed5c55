using ActorTrainer.He.Backends;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>(c₀, c₁) or (c₀, c₁, c₂) in transformed form, with m·scale ≈ Σ cᵢ·sⁱ.</summary>
internal sealed class LimbPayload(Polynomial[] parts) : IPayload
{
    public Polynomial[] Parts { get; } = parts;

    public int Size => Parts.Length;

    /// <exception cref="MisuseException">It was made by another backend.</exception>
    public static Polynomial[] Of(IPayload payload) => payload is LimbPayload limbs
        ? limbs.Parts
        : throw new MisuseException("This is no ciphertext of the engine but of another backend. Give each backend its own ciphertexts.");

    public void Dispose() => Array.ForEach(Parts, part => part.Dispose());
}
