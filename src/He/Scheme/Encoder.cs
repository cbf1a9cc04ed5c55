using System.Numerics;
using System.Runtime.Intrinsics;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>Numbers to plaintexts and back. Rounding to whole coefficients is the only error, variance 1/12 per coefficient.</summary>
public sealed unsafe class Encoder(CkksContext context)
{
    /// <summary>Largest size of a scaled coefficient that is carried exactly.</summary>
    private const int MaxCoefficientBits = 90;

    internal static readonly double MaxCoefficient = Math.ScaleB(1, MaxCoefficientBits);

    private const int RadixLimbs = 3;

    private readonly CkksParameters _parameters = context.Parameters;

    /// <summary>Real slots.</summary>
    /// <inheritdoc cref="Encode(ReadOnlySpan{Complex}, int, Scale)"/>
    public Plaintext Encode(ReadOnlySpan<double> values, int level, Scale scale)
    {
        Check(values.Length);
        return new Plaintext(Encode(values.ToArray(), new double[values.Length], level, scale), level, scale);
    }

    /// <summary>
    /// Complex slots: a power of two of them. Fewer than N/2, n, are repeated to fill all: the polynomial is then one in X^(N/2n), and takes only a
    /// transform of n numbers.
    /// </summary>
    /// <param name="level">Level of the plaintext, at which it takes level + 1 limbs.</param>
    /// <param name="scale">What values are multiplied by.</param>
    /// <exception cref="ArgumentException">The number of values is not a power of two up to N/2, a value is not finite, or scaled values are too large.</exception>
    public Plaintext Encode(ReadOnlySpan<Complex> values, int level, Scale scale) => new(EncodeComplex(values, level, scale), level, scale);

    /// <summary>Coefficients before they are scaled and rounded: what is left to do for a level and scale is <see cref="Fill"/>.</summary>
    /// <param name="rotation">Slots to the left that the values are turned by.</param>
    /// <inheritdoc cref="Encode(ReadOnlySpan{Complex}, int, Scale)"/>
    internal UnscaledCoefficients Unscaled(IReadOnlyList<Complex> values, int rotation)
    {
        Check(values.Count);
        var (re, im) = (new double[values.Count], new double[values.Count]);
        for (var i = 0; i < re.Length; i++)
        {
            var value = values[(i + rotation) & (re.Length - 1)];
            (re[i], im[i]) = (value.Real, value.Imaginary);
        }

        context.FourierOf(re.Length).ToCoefficients(re, im);
        var words = context.Ring.NewPolynomial(1);
        var numbers = new Span<double>(words[0], _parameters.Degree);
        var (gap, largest) = (_parameters.Slots / re.Length, 0.0);
        if (gap > 1)
        {
            numbers.Clear();
        }

        for (var i = 0; i < re.Length; i++)
        {
            (numbers[i * gap], numbers[_parameters.Slots + (i * gap)]) = (re[i], im[i]);
            largest = Math.Max(largest, Math.Max(Math.Abs(re[i]), Math.Abs(im[i])));
        }

        return new UnscaledCoefficients(words, largest);
    }

    /// <summary>One limb of coefficients that are scaled and rounded, in transformed form.</summary>
    internal static void Fill(LimbKernels kernels, void* limb, UnscaledCoefficients coefficients, Scale scale)
    {
        var numbers = (double*)coefficients.Words[0];
        var scaled = (double*)limb;
        var factor = Vector256.Create(scale.High);
        for (var i = 0; i < kernels.Degree; i += Vector256<double>.Count)
        {
            Vector256.Round(Vector256.Load(numbers + i) * factor).Store(scaled + i);
        }

        kernels.FromNumbers(limb, scaled);
        kernels.Forward(limb);
    }

    /// <exception cref="ArgumentException">A coefficient at this scale is not finite or too large.</exception>
    internal static void CheckScale(UnscaledCoefficients coefficients, Scale scale)
    {
        if (!(coefficients.Largest * scale.High < MaxCoefficient))
        {
            throw TooLarge(scale);
        }
    }

    /// <summary>The slots of a plaintext. For the owner's eyes: what leaves the owner goes through <c>Release</c>.</summary>
    internal Complex[] Decode(Plaintext plaintext) => Decode(Coefficients(plaintext), plaintext.Scale);

    /// <summary>The slots of scaled coefficients.</summary>
    internal Complex[] Decode(double[] coefficients, Scale scale)
    {
        var (re, im) = (new double[_parameters.Slots], new double[_parameters.Slots]);
        for (var i = 0; i < re.Length; i++)
        {
            (re[i], im[i]) = (coefficients[i] / scale.High, coefficients[i + re.Length] / scale.High);
        }

        context.FourierOf(re.Length).ToSlots(re, im);
        return [.. re.Zip(im, (x, y) => new Complex(x, y))];
    }

    /// <summary>Centred coefficients to 53 bits, from up to three limbs by mixed radix: messages are far below q₀·q₁·q₂ or nothing that could be read.</summary>
    internal double[] Coefficients(Plaintext plaintext)
    {
        var ring = context.Ring;
        var limbs = Math.Min(plaintext.Level + 1, RadixLimbs);
        using var copy = ring.Copy(plaintext.Polynomial, limbs, secret: true);
        ring.Inverse(copy);
        ring.Team.For(limbs, i => ring.Chain(i).ToResidues((ulong*)copy[i], copy[i]));
        var result = new double[_parameters.Degree];
        var r0 = (ulong*)copy[0];
        var r1 = (ulong*)copy[Math.Min(1, limbs - 1)];
        var r2 = (ulong*)copy[limbs - 1];
        var q0 = _parameters.Chain[0];
        var (q1, q2) = (_parameters.Chain[Math.Min(1, limbs - 1)], _parameters.Chain[limbs - 1]);
        var inverse1 = limbs > 1 ? q1.Inverse(q0.Value) : 0;
        var inverse2 = limbs > 2 ? q2.Inverse(q2.Multiply(q2.Reduce(q0.Value), q2.Reduce(q1.Value))) : 0;
        for (var k = 0; k < result.Length; k++)
        {
            // Digit by digit: what the lower digits leave, divided by the lower primes.
            var digit0 = q0.Centre(r0[k]);
            var digit1 = limbs > 1 ? q1.Centre(q1.Multiply(q1.Subtract(r1[k], q1.Reduce(digit0)), inverse1)) : 0;
            var lower2 = limbs > 2 ? q2.Add(q2.Reduce(digit0), q2.Multiply(q2.Reduce(digit1), q2.Reduce(q0.Value))) : 0;
            var digit2 = limbs > 2 ? q2.Centre(q2.Multiply(q2.Subtract(r2[k], lower2), inverse2)) : 0;
            result[k] = digit0 + (q0.Value * (digit1 + ((double)q1.Value * digit2)));
        }

        GC.KeepAlive(copy);
        return result;
    }

    /// <summary>Whole numbers of at most <see cref="MaxCoefficient"/> in size in transformed form.</summary>
    internal Polynomial FromCoefficients(double* numbers, int level)
    {
        var ring = context.Ring;
        var polynomial = ring.NewPolynomial(level + 1);
        var source = (nint)numbers;
        ring.Team.For(polynomial.Limbs, i =>
        {
            ring.Of(polynomial, i).FromNumbers(polynomial[i], (double*)source);
            ring.Of(polynomial, i).Forward(polynomial[i]);
        });
        return polynomial;
    }

    private Polynomial EncodeComplex(ReadOnlySpan<Complex> values, int level, Scale scale)
    {
        Check(values.Length);
        var (re, im) = (new double[values.Length], new double[values.Length]);
        for (var i = 0; i < re.Length; i++)
        {
            (re[i], im[i]) = (values[i].Real, values[i].Imaginary);
        }

        return Encode(re, im, level, scale);
    }

    private Polynomial Encode(double[] re, double[] im, int level, Scale scale)
    {
        if (level < 0 || level > _parameters.MaxLevel)
        {
            throw new ArgumentOutOfRangeException(nameof(level), level, $"Levels of {_parameters.Name} are 0 to {_parameters.MaxLevel}.");
        }

        context.FourierOf(re.Length).ToCoefficients(re, im);
        var ring = context.Ring;
        using var numbers = ring.NewPolynomial(1, secret: true);
        var rounded = new Span<double>(numbers[0], _parameters.Degree);
        rounded.Clear();
        var gap = _parameters.Slots / re.Length;
        for (var i = 0; i < re.Length; i++)
        {
            var (x, y) = (Math.Round(re[i] * scale.High), Math.Round(im[i] * scale.High));
            if (!(Math.Abs(x) < MaxCoefficient && Math.Abs(y) < MaxCoefficient))
            {
                throw TooLarge(scale);
            }

            (rounded[i * gap], rounded[_parameters.Slots + (i * gap)]) = (x, y);
        }

        return FromCoefficients((double*)numbers[0], level);
    }

    private static ArgumentException TooLarge(Scale scale) =>
        new($"A value at scale {scale} is not finite or above 2^{MaxCoefficientBits}. Encode smaller values, or at a smaller scale.");

    private void Check(int count)
    {
        if (count < 1 || count > _parameters.Slots || !BitOperations.IsPow2(count))
        {
            throw new ArgumentException($"Expected a power of two of values, at most {_parameters.Slots}; found {count}.");
        }
    }
}
