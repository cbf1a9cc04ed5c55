using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Hybrid switching key up to a level: for each digit, (−a·t + e + P·gⱼ·s', a) over q₀ … q_level and the special primes, where gⱼ is one mod
/// the digit's primes and zero mod the others. The uniform halves are expanded from one public seed: when the key is read, or limb by limb whenever they are used, which takes half of the memory.
/// </summary>
public sealed class SwitchingKey : IDisposable
{
    private volatile Polynomial[]? _a;

    /// <param name="a">Null: expanded on demand.</param>
    internal SwitchingKey(int level, Polynomial[] b, Polynomial[]? a, Seed seed, CkksParameters parameters) =>
        (Level, B, _a, Seed, Parameters) = (level, b, a, seed, parameters);

    public CkksParameters Parameters { get; }

    /// <summary>The highest level of ciphertexts that it can switch.</summary>
    public int Level { get; }

    /// <summary>What the uniform halves are expanded from.</summary>
    public Seed Seed { get; }

    internal Polynomial[] B { get; }

    /// <summary>Null where they are expanded on demand.</summary>
    internal Polynomial[]? A => _a;

    /// <summary>Native memory of either half, in bytes.</summary>
    internal long HalfBytes => B.Sum(digit => (long)digit.Limbs * LimbPool.StrideOf(Parameters.Degree));

    /// <summary>Expands the uniform halves and keeps them; once. Operations under way go on without.</summary>
    internal void Expand(RingContext ring)
    {
        var expanded = new Polynomial[B.Length];
        for (var j = 0; j < B.Length; j++)
        {
            expanded[j] = ring.NewPolynomial(Level + 1, special: true);
            Randomness.Uniform(ring, Seed, j, expanded[j]);
        }

        _a = expanded;
    }

    public void Dispose()
    {
        Array.ForEach(B, p => p.Dispose());
        Array.ForEach(A ?? [], p => p.Dispose());
    }
}
