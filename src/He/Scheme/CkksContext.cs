using System.Collections.Concurrent;
using System.Numerics;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>Everything that a parameter set fixes, made once and shared by keys, ciphertexts and evaluators: ring, conversions, Fourier tables.</summary>
public sealed class CkksContext : IDisposable
{
    private readonly ConcurrentDictionary<(int Digit, int Level), BaseConversion> _raises = new();
    private readonly ConcurrentDictionary<int, BaseConversion> _rescales = new();
    private readonly ConcurrentDictionary<int, SpecialFourier> _fouriers = new();
    private readonly Lazy<BaseConversion> _divisions;
    private readonly WorkTeam _team;

    /// <param name="parallelism">Threads that one operation may use, the calling one included.</param>
    public CkksContext(CkksParameters parameters, int parallelism = 1, KernelChoice kernels = KernelChoice.Fastest)
    {
        Parameters = parameters;
        _team = new WorkTeam(parallelism);
        Ring = new RingContext(parameters.Chain, parameters.Special, parameters.LogDegree, _team, kernels);
        _divisions = new(() => new BaseConversion(Special(), Chain(0, Ring.ChainLength)));
    }

    public CkksParameters Parameters { get; }

    public RingContext Ring { get; }

    /// <summary>Division by P; targets are the chain.</summary>
    internal BaseConversion DivideBySpecial => _divisions.Value;

    public void Dispose()
    {
        Ring.Dispose();
        _team.Dispose();
    }

    /// <summary>The transform of so many slots, a power of two.</summary>
    internal SpecialFourier FourierOf(int slots) => _fouriers.GetOrAdd(slots, static n => new SpecialFourier(BitOperations.Log2((uint)n) + 1));

    /// <summary>From one digit at a level to all other limbs; targets are q₀ … q_level and then the special primes.</summary>
    internal BaseConversion Raise(int digit, int level) => _raises.GetOrAdd((digit, level), static (key, context) =>
    {
        var (start, end) = context.Parameters.Digit(key.Digit, key.Level);
        return new BaseConversion(context.Chain(start, end), context.Chain(0, key.Level + 1).Concat(context.Special()));
    }, this);

    /// <summary>Division by the top prime of a level; targets are those below.</summary>
    internal BaseConversion DropTop(int level) => _rescales.GetOrAdd(level, static (top, context) => new BaseConversion(context.Chain(top, top + 1), context.Chain(0, top)), this);

    /// <summary>P mod a prime of the chain.</summary>
    internal ulong SpecialModulo(int limb)
    {
        var modulus = Parameters.Chain[limb];
        return Parameters.Special.Aggregate(1UL, (product, p) => modulus.Multiply(product, modulus.Reduce(p.Value)));
    }

    private IEnumerable<LimbKernels> Chain(int start, int end) => Enumerable.Range(start, end - start).Select(Ring.Chain);

    private IEnumerable<LimbKernels> Special() => Enumerable.Range(0, Ring.SpecialLength).Select(Ring.Special);
}
