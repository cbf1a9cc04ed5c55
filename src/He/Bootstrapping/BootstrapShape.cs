using System.Numerics;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Bootstrapping;

/// <summary>
/// How a parameter set is bootstrapped: slots, matrices of both transforms, and the polynomial of the reduction mod 1. Levels in the order of use: slots to coefficients at the bottom, then from the top
/// coefficients to slots and the reduction; what is left in the middle is the program's.
/// </summary>
public sealed record BootstrapShape
{
    private const int ToCoefficientsLevels = 3;
    private const int ToSlotsLevels = 4;
    private const int CosineLevels = 5;

    /// <summary>Slots that hold different numbers, a power of two: N/2, or fewer that repeat.</summary>
    public required int Slots { get; init; }

    /// <summary>Stages of the Fourier transform in each matrix from slots to coefficients.</summary>
    public required IReadOnlyList<int> ToCoefficients { get; init; }

    /// <summary>The same from coefficients to slots.</summary>
    public required IReadOnlyList<int> ToSlots { get; init; }

    /// <summary>R: q₀ is so many times the largest message. More leaves less error of the sine and more of noise.</summary>
    public double Ratio { get; init; } = 128;

    /// <summary>
    /// K: a larger multiple of q₀ ruins the slot whose coefficient has it. It is a sum of 33 numbers of at most ½ in size, rounded, so that none is above 16 with a secret of 32 signs; with all slots at
    /// N = 2^16 one is above 14 with a chance of 2^−72, and above 12 with one of 2^−39.
    /// </summary>
    public int Bound { get; init; } = 16;

    /// <summary>Of the cosine's polynomial in x.</summary>
    public int CosineDegree { get; init; } = 30;

    /// <summary>r.</summary>
    public int Doublings { get; init; } = 3;

    /// <summary>Of the arcsine's polynomial.</summary>
    public int ArcsineDegree { get; init; } = 3;

    /// <summary>Baby steps of a matrix from coefficients to slots, on average at most: so many keys over nearly all primes, the one for its giant steps included.</summary>
    public int BabySteps { get; init; } = 6;

    /// <summary>The shape that a set of the family B16 was made for: what its levels beyond the usable ones leave for the reduction decides the arcsine's degree.</summary>
    /// <param name="slots">A power of two, at least 2; null for all.</param>
    /// <exception cref="ParametersRefusedException">The set has too few levels beside the usable ones.</exception>
    public static BootstrapShape For(CkksParameters parameters, int? slots = null)
    {
        var n = slots ?? parameters.Slots;
        if (n < 2 || n > parameters.Slots || !int.IsPow2(n))
        {
            throw new ArgumentException($"Expected a power of two of slots, from 2 to {parameters.Slots}; found {n}.", nameof(slots));
        }

        var reduction = Reduction(parameters);
        var (arcsine, ratio) = reduction switch
        {
            CosineLevels + 3 + 2 => (3, 128.0),
            CosineLevels + 3 + 3 => (5, 64.0),
            _ => throw new ParametersRefusedException($"'{parameters.Name}' has {Math.Max(0, reduction)} levels for the reduction mod 1 of a bootstrapping beside {parameters.UsableLevels} usable ones; expected 10 or 11. Use a set of the family B16."),
        };
        var log = BitOperations.Log2((uint)n);
        return new BootstrapShape
        {
            Slots = n,
            ToCoefficients = Split(log, ToCoefficientsLevels),
            ToSlots = Split(log, ToSlotsLevels),
            ArcsineDegree = arcsine,
            Ratio = ratio,
        };
    }

    /// <summary>Whether a set has the levels, and a q₀·p₀, for <see cref="For"/>.</summary>
    public static bool Fits(CkksParameters parameters) =>
        Scheme.EncapsulationParameters.Allows(parameters) && Reduction(parameters) is CosineLevels + 3 + 2 or CosineLevels + 3 + 3;

    /// <summary>Stages as even as can be, the larger first.</summary>
    public static IReadOnlyList<int> Split(int stages, int matrices)
    {
        var count = Math.Min(stages, matrices);
        return [.. Enumerable.Range(0, count).Select(i => ((stages - i - 1) / count) + 1)];
    }

    /// <summary>Levels that a set leaves for the reduction mod 1.</summary>
    private static int Reduction(CkksParameters parameters) => parameters.Depth(parameters.MaxLevel) - parameters.UsableLevels - ToCoefficientsLevels - ToSlotsLevels;
}
