using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>An encoded message: a polynomial in transformed form, times a scale. Native memory until disposed.</summary>
public sealed class SealPlaintext : IDisposable
{
    internal SealPlaintext(Polynomial polynomial, ParmsId id, double scale) => (Polynomial, Id, Scale) = (polynomial, id, scale);

    /// <summary>Of parameters and level.</summary>
    public ParmsId Id { get; }

    public int Level => Polynomial.Limbs - 1;

    public double Scale { get; }

    internal Polynomial Polynomial { get; }

    public void Dispose() => Polynomial.Dispose();

    public override string ToString() => FormattableString.Invariant($"SEAL plaintext at level {Level}, scale 2^{Math.Log2(Scale):F6}");
}
