using System.Numerics;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>Samples of the distributions of RLWE. Those of secrets take the same time and touch the same memory whatever they give.</summary>
internal static class Samplers
{
    /// <summary>σ² of <see cref="Error"/>: 21/2, σ ≈ 3.24.</summary>
    public const double ErrorVariance = 10.5;

    /// <summary>The largest size of <see cref="Error"/>.</summary>
    public const ulong LargestError = 21;

    /// <summary>Variance of <see cref="Ternary"/>.</summary>
    public const double TernaryVariance = 2.0 / 3;

    private const ulong Half = (1UL << 21) - 1;

    /// <summary>−1, 0, 1 alike, up to 2^−62: the upper word of 3·r for a random word r.</summary>
    public static void Ternary(RandomStream stream, Span<int> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (int)Math.BigMul(stream.Next(), 3UL, out _) - 1;
        }
    }

    /// <summary>
    /// <paramref name="weight"/> signs in places chosen at random: each place is taken with the chance (signs left)/(places left), by comparing a random word, so that every place costs the same whatever
    /// is chosen. Chances are exact to 2^−48.
    /// </summary>
    public static void Sparse(RandomStream stream, Span<int> values, int weight)
    {
        var left = weight;
        for (var i = 0; i < values.Length; i++)
        {
            var word = stream.Next();
            // The upper 48 bits, scaled to the places left, are below the signs left or not; the lowest bit is the sign.
            var taken = (int)((ulong)((long)(((word >> 16) * (ulong)(values.Length - i) >> 48) - (ulong)left) >> 63) & 1);
            values[i] = taken * (1 - (2 * (int)(word & 1)));
            left -= taken;
        }
    }

    /// <summary>Centred binomial of 21 bits against 21.</summary>
    public static void Error(RandomStream stream, Span<int> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var word = stream.Next();
            values[i] = BitOperations.PopCount(word & Half) - BitOperations.PopCount((word >> 21) & Half);
        }
    }

    /// <summary>Two independent normal numbers of variance 1 (Box and Muller). For noise in the clear, not for secrets of RLWE.</summary>
    public static (double First, double Second) Gaussians(RandomStream stream)
    {
        // (0, 1] and [0, 1) in steps of 2^−53.
        var radius = Math.Sqrt(-2 * Math.Log(((stream.Next() >> 11) + 1) * Math.ScaleB(1, -53)));
        var (sin, cos) = Math.SinCos(2 * Math.PI * (stream.Next() >> 11) * Math.ScaleB(1, -53));
        return (radius * cos, radius * sin);
    }

    /// <summary>Uniform residues, by drawing numbers of the prime's bits until one is below it. For public values: its time depends on them.</summary>
    public static void Uniform(RandomStream stream, Modulus modulus, Span<ulong> residues)
    {
        var mask = ulong.MaxValue >> BitOperations.LeadingZeroCount(modulus.Value);
        for (var i = 0; i < residues.Length; i++)
        {
            ulong word;
            do
            {
                word = stream.Next() & mask;
            }
            while (word >= modulus.Value);
            residues[i] = word;
        }
    }
}
