using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Hybrid switching key up to a level: for each digit, (−a·t + e + P·gⱼ·s', a) over q₀ … q_level and the special primes, where gⱼ is one mod
/// the digit's primes and zero mod the others. The uniform halves are expanded from one public seed.
/// </summary>
public sealed class SwitchingKey : IDisposable
{
    internal SwitchingKey(int level, Polynomial[] b, Polynomial[] a, Seed seed, CkksParameters parameters) =>
        (Level, B, A, Seed, Parameters) = (level, b, a, seed, parameters);

    public CkksParameters Parameters { get; }

    /// <summary>The highest level of ciphertexts that it can switch.</summary>
    public int Level { get; }

    /// <summary>What the uniform halves are expanded from.</summary>
    public Seed Seed { get; }

    internal Polynomial[] B { get; }

    internal Polynomial[] A { get; }

    public void Dispose()
    {
        Array.ForEach(B, p => p.Dispose());
        Array.ForEach(A, p => p.Dispose());
    }
}
