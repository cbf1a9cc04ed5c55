using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Seal;

/// <summary>Encryptions of zero, of which ciphertexts and keys are made.</summary>
internal static unsafe class SealZero
{
    /// <summary>(−(a·s + e), a) in all limbs of <paramref name="c0"/> and <paramref name="c1"/>, a from the seed that is returned.</summary>
    public static SealSeed Symmetric(RingContext ring, Randomness random, SealSecretKey key, Polynomial c0, Polynomial c1)
    {
        var seed = SealSeed.Fresh(random);
        seed.Expand(ring, c1);
        random.Error(c0);
        ring.Team.For(c0.Limbs, i =>
        {
            // Limbs of the key are all primes in order, of which c₀ has the first ones or all.
            var kernels = ring.Of(c0, i);
            using var product = ring.NewPolynomial(1, secret: true);
            kernels.Multiply(product[0], c1[i], key.Polynomial[i]);
            kernels.Add(c0[i], c0[i], product[0]);
            kernels.Negate(c0[i], c0[i]);
        });
        GC.KeepAlive(key);
        return seed;
    }

    /// <summary>(v·b + e₀, v·a + e₁) in all limbs of <paramref name="c0"/> and <paramref name="c1"/>.</summary>
    public static void Public(RingContext ring, Randomness random, SealPublicKey key, Polynomial c0, Polynomial c1)
    {
        using var v = ring.NewPolynomial(c0.HasSpecial ? ring.ChainLength : c0.Limbs, c0.HasSpecial, secret: true);
        random.Ternary(v);
        random.Error(c0);
        random.Error(c1);
        ring.Team.For(c0.Limbs, i =>
        {
            var kernels = ring.Of(c0, i);
            kernels.MultiplyAdd(c0[i], v[i], key.B[i]);
            kernels.MultiplyAdd(c1[i], v[i], key.A[i]);
        });
        GC.KeepAlive(key);
    }
}
