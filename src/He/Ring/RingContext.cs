using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace ActorTrainer.He.Ring;

/// <summary>
/// The ring Z[X]/(X^N + 1) mod a chain of primes and the special primes after it: kernels for each prime, memory, automorphisms.
/// Operations on polynomials spread over limbs.
/// </summary>
public sealed unsafe class RingContext : IDisposable
{
    private readonly LimbKernels[] _kernels;
    private readonly ConcurrentDictionary<int, Automorphism> _automorphisms = new();

    public RingContext(IEnumerable<Modulus> chain, IEnumerable<Modulus> special, int logDegree, WorkTeam team, KernelChoice choice = KernelChoice.Fastest)
    {
        var (lower, upper) = (chain.ToArray(), special.ToArray());
        // Words of one polynomial must mean the same thing, so one large prime makes all kernels integer ones.
        var kind = choice == KernelChoice.Fastest && lower.Concat(upper).Any(q => q.Value >= DoubleKernels.Bound) ? KernelChoice.Integer : choice;
        var kernels = new LimbKernels[lower.Length + upper.Length];
        team.For(kernels.Length, i => kernels[i] = LimbKernels.Create(i < lower.Length ? lower[i] : upper[i - lower.Length], logDegree, kind));
        (_kernels, ChainLength, SpecialLength, LogDegree, Team) = (kernels, lower.Length, upper.Length, logDegree, team);
        Pool = new LimbPool(Degree);
    }

    public int LogDegree { get; }

    public int Degree => 1 << LogDegree;

    public int ChainLength { get; }

    public int SpecialLength { get; }

    public WorkTeam Team { get; }

    public LimbPool Pool { get; }

    public Polynomial NewPolynomial(int chainLimbs, bool special = false, bool secret = false) =>
        new(Pool, chainLimbs + (special ? SpecialLength : 0), special, secret);

    public void Dispose()
    {
        foreach (var automorphism in _automorphisms.Values)
        {
            automorphism.Dispose();
        }

        Array.ForEach(_kernels, kernel => (kernel as IDisposable)?.Dispose());
        Pool.Dispose();
    }

    /// <summary>Kernels of a prime of the chain.</summary>
    public LimbKernels Chain(int index) => index < ChainLength ? _kernels[index] : throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>Kernels of a special prime.</summary>
    public LimbKernels Special(int index) => _kernels[ChainLength + index];

    /// <summary>Kernels of a polynomial's limb.</summary>
    public LimbKernels Of(Polynomial polynomial, int limb)
    {
        var lower = polynomial.HasSpecial ? polynomial.Limbs - SpecialLength : polynomial.Limbs;
        return limb < lower ? Chain(limb) : Special(limb - lower);
    }

    public void Forward(Polynomial polynomial) => Team.For(polynomial.Limbs, i => Of(polynomial, i).Forward(polynomial[i]));

    public void Inverse(Polynomial polynomial) => Team.For(polynomial.Limbs, i => Of(polynomial, i).Inverse(polynomial[i]));

    public Polynomial Copy(Polynomial polynomial, int limbs, bool secret = false)
    {
        var copy = NewPolynomial(limbs, false, secret);
        Team.For(limbs, i => Chain(i).Copy(copy[i], polynomial[i]));
        GC.KeepAlive(polynomial);
        return copy;
    }

    /// <summary>The words' places under X → X^element, for limbs in transformed form.</summary>
    public int* AutomorphismMap(int element) => _automorphisms.GetOrAdd(element, e => new Automorphism(_kernels[0], e)).Map;

    private sealed class Automorphism : IDisposable
    {
        private int* _map;

        public Automorphism(LimbKernels kernels, int element)
        {
            var (degree, log) = (kernels.Degree, kernels.LogDegree);
            _map = (int*)NativeMemory.AlignedAlloc((nuint)degree * sizeof(int), 64);
            for (var i = 0; i < degree; i++)
            {
                // The value of m(X^g) at ψ^e is that of m at ψ^(g·e).
                var exponent = (int)((long)element * ((2 * NttRoots.Reverse(i, log)) + 1) & ((2 * degree) - 1));
                _map[kernels.PlaceOf(i)] = kernels.PlaceOf(NttRoots.Reverse(exponent >> 1, log));
            }
        }

        ~Automorphism() => Dispose();

        public int* Map => _map;

        public void Dispose()
        {
            NativeMemory.AlignedFree(_map);
            _map = null;
            GC.SuppressFinalize(this);
        }
    }
}
