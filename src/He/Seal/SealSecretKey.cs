using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>
/// The owner's key: a ternary polynomial, in transformed form over all primes, in native memory that is overwritten when disposed. Only
/// <see cref="SealSecretKeyFile"/> reads and writes it.
/// </summary>
public sealed class SealSecretKey : IDisposable
{
    internal SealSecretKey(Polynomial polynomial, ParmsId id) => (Polynomial, Id) = (polynomial, id);

    /// <summary>Of the key level.</summary>
    internal ParmsId Id { get; }

    internal Polynomial Polynomial { get; }

    public void Dispose() => Polynomial.Dispose();
}
