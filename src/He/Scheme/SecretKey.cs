using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// The owner's key: a uniform ternary polynomial, in transformed form over all primes. It lives in native memory, which does not move, and is
/// overwritten when disposed. It has no text form and no serialiser on purpose.
/// </summary>
public sealed class SecretKey : IDisposable
{
    internal SecretKey(Polynomial polynomial, byte[] fingerprint) => (Polynomial, Fingerprint) = (polynomial, fingerprint);

    /// <summary>Of the parameters.</summary>
    internal byte[] Fingerprint { get; }

    internal Polynomial Polynomial { get; }

    public void Dispose() => Polynomial.Dispose();
}
