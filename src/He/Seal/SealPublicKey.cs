using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>An encryption (b, a) over all primes: of zero in a public key, of a part of another secret in the digits of switching keys.</summary>
public sealed class SealPublicKey : IDisposable
{
    internal SealPublicKey(Polynomial b, Polynomial a, ParmsId id, SealSeed? seed) => (B, A, Id, Seed) = (b, a, id, seed);

    /// <summary>What a was expanded from, if it was; such a key is written at half its size.</summary>
    public SealSeed? Seed { get; }

    /// <summary>Of the key level.</summary>
    internal ParmsId Id { get; }

    internal Polynomial B { get; }

    internal Polynomial A { get; }

    public void Dispose()
    {
        B.Dispose();
        A.Dispose();
    }
}
