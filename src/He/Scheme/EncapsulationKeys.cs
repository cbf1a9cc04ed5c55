using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Public keys to the ephemeral sparse secret and back. The first has two limbs, mod q₀ and mod p₀, and can have no more; the second hides the sparse secret under the owner's own, over all primes, and
/// is a single pair, since what it switches is smaller than every digit.
/// </summary>
public sealed class EncapsulationKeys : IDisposable
{
    internal EncapsulationKeys(CkksParameters parameters, Polynomial sparseB, Polynomial sparseA, Seed sparseSeed, Polynomial denseB, Polynomial denseA, Seed denseSeed) =>
        (Parameters, SparseB, SparseA, SparseSeed, DenseB, DenseA, DenseSeed) = (parameters, sparseB, sparseA, sparseSeed, denseB, denseA, denseSeed);

    public CkksParameters Parameters { get; }

    /// <summary>Moduli of the key towards the sparse secret: q₀ and p₀, whatever the set.</summary>
    public IReadOnlyList<Modulus> SparseModuli => [Parameters.Chain[0], Parameters.Special[0]];

    /// <summary>−a·s' + e + p₀·s mod q₀·p₀: limb 0 mod q₀, limb 1 mod p₀.</summary>
    internal Polynomial SparseB { get; }

    internal Polynomial SparseA { get; }

    internal Seed SparseSeed { get; }

    /// <summary>−a·s + e + P·s' over all primes.</summary>
    internal Polynomial DenseB { get; }

    internal Polynomial DenseA { get; }

    internal Seed DenseSeed { get; }

    public void Dispose()
    {
        SparseB.Dispose();
        SparseA.Dispose();
        DenseB.Dispose();
        DenseA.Dispose();
    }

    /// <summary>The uniform half mod q₀ and p₀ that a seed stands for.</summary>
    internal static Polynomial ExpandSparse(RingContext ring, Seed seed)
    {
        var a = ring.NewPolynomial(2);
        Randomness.UniformLimb(ring, ring.Chain(0), seed, 0, 0, a, 0);
        Randomness.UniformLimb(ring, ring.Special(0), seed, 0, ring.ChainLength, a, 1);
        return a;
    }

    /// <summary>The uniform half over all primes that a seed stands for.</summary>
    internal static Polynomial ExpandDense(RingContext ring, Seed seed)
    {
        var a = ring.NewPolynomial(ring.ChainLength, special: true);
        Randomness.Uniform(ring, seed, 0, a);
        return a;
    }
}
