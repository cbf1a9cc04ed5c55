using System.Numerics;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>Numbers to plaintexts and back. Rounding to whole coefficients is the only error, variance 1/12 per coefficient.</summary>
public sealed unsafe class Encoder(CkksContext context)
{
    /// <summary>Largest size of a scaled coefficient that is carried exactly.</summary>
    private const int MaxCoefficientBits = 90;

    private readonly CkksParameters _parameters = context.Parameters;

    /// <summary>Real slots.</summary>
    /// <inheritdoc cref="Encode(ReadOnlySpan{Complex}, int, Scale)"/>
    public Plaintext Encode(ReadOnlySpan<double> values, int level, Scale scale)
    {
        var (re, im) = (new double[_parameters.Slots], new double[_parameters.Slots]);
        Check(values.Length);
        for (var i = 0; i < re.Length; i++)
        {
            re[i] = values[i & (values.Length - 1)];
        }

        return new Plaintext(Encode(re, im, level, scale, special: false), level, scale);
    }

    /// <summary>Complex slots: a power of two of them; fewer than N/2 are repeated to fill all.</summary>
    /// <param name="level">Level of the plaintext, at which it takes level + 1 limbs.</param>
    /// <param name="scale">What values are multiplied by.</param>
    /// <exception cref="ArgumentException">The number of values is not a power of two up to N/2, a value is not finite, or scaled values are too large.</exception>
    public Plaintext Encode(ReadOnlySpan<Complex> values, int level, Scale scale)
    {
        var (re, im) = (new double[_parameters.Slots], new double[_parameters.Slots]);
        Fill(values, re, im);
        return new Plaintext(Encode(re, im, level, scale, special: false), level, scale);
    }

    /// <summary>Over the special primes too: what is multiplied with rotations that are not divided yet.</summary>
    /// <inheritdoc cref="Encode(ReadOnlySpan{Complex}, int, Scale)"/>
    internal Polynomial EncodeOverAll(ReadOnlySpan<Complex> values, int level, Scale scale)
    {
        var (re, im) = (new double[_parameters.Slots], new double[_parameters.Slots]);
        Fill(values, re, im);
        return Encode(re, im, level, scale, special: true);
    }

    /// <summary>The slots of a plaintext. For the owner's eyes: what leaves the owner goes through <c>Release</c>.</summary>
    internal Complex[] Decode(Plaintext plaintext)
    {
        var (re, im) = (new double[_parameters.Slots], new double[_parameters.Slots]);
        var coefficients = Coefficients(plaintext);
        for (var i = 0; i < re.Length; i++)
        {
            (re[i], im[i]) = (coefficients[i] / plaintext.Scale.High, coefficients[i + re.Length] / plaintext.Scale.High);
        }

        context.Fourier.ToSlots(re, im);
        return [.. re.Zip(im, (x, y) => new Complex(x, y))];
    }

    /// <summary>Centred coefficients to 53 bits, from up to three limbs by mixed radix: messages are far below q₀·q₁·q₂ or nothing that could be read.</summary>
    internal double[] Coefficients(Plaintext plaintext)
    {
        var ring = context.Ring;
        var limbs = Math.Min(plaintext.Level + 1, 3);
        using var copy = ring.Copy(plaintext.Polynomial, limbs, secret: true);
        ring.Inverse(copy);
        var residues = new ulong[limbs][];
        for (var i = 0; i < limbs; i++)
        {
            residues[i] = new ulong[_parameters.Degree];
            fixed (ulong* p = residues[i])
            {
                ring.Chain(i).ToResidues(p, copy[i]);
            }
        }

        return [.. Enumerable.Range(0, _parameters.Degree).Select(k => Centred(residues, k))];
    }

    private double Centred(ulong[][] residues, int k)
    {
        double value = 0, radix = 1;
        Span<long> digits = stackalloc long[3];
        for (var i = 0; i < residues.Length; i++)
        {
            var q = _parameters.Chain[i];
            var rest = residues[i][k];
            ulong product = 1;
            for (var j = 0; j < i; j++)
            {
                rest = q.Subtract(rest, q.Multiply(q.Reduce(digits[j]), product));
                product = q.Multiply(product, q.Reduce(_parameters.Chain[j].Value));
            }

            digits[i] = q.Centre(q.Multiply(rest, q.Inverse(product)));
        }

        for (var i = 0; i < residues.Length; i++)
        {
            value += digits[i] * radix;
            radix *= _parameters.Chain[i].Value;
        }

        return value;
    }

    private Polynomial Encode(double[] re, double[] im, int level, Scale scale, bool special)
    {
        if (level < 0 || level > _parameters.MaxLevel)
        {
            throw new ArgumentOutOfRangeException(nameof(level), level, $"Levels of {_parameters.Name} are 0 to {_parameters.MaxLevel}.");
        }

        context.Fourier.ToCoefficients(re, im);
        var ring = context.Ring;
        using var numbers = ring.NewPolynomial(1, secret: true);
        var rounded = new Span<double>(numbers[0], _parameters.Degree);
        var bound = Math.ScaleB(1, MaxCoefficientBits);
        for (var i = 0; i < re.Length; i++)
        {
            var (x, y) = (Math.Round(re[i] * scale.High), Math.Round(im[i] * scale.High));
            if (!(Math.Abs(x) < bound && Math.Abs(y) < bound))
            {
                throw new ArgumentException($"A value at scale {scale} is not finite or above 2^{MaxCoefficientBits}. Encode smaller values, or at a smaller scale.");
            }

            (rounded[i], rounded[i + re.Length]) = (x, y);
        }

        var polynomial = ring.NewPolynomial(level + 1, special);
        var source = (nint)numbers[0];
        ring.Team.For(polynomial.Limbs, i =>
        {
            ring.Of(polynomial, i).FromNumbers(polynomial[i], (double*)source);
            ring.Of(polynomial, i).Forward(polynomial[i]);
        });
        return polynomial;
    }

    private void Fill(ReadOnlySpan<Complex> values, double[] re, double[] im)
    {
        Check(values.Length);
        for (var i = 0; i < re.Length; i++)
        {
            (re[i], im[i]) = (values[i & (values.Length - 1)].Real, values[i & (values.Length - 1)].Imaginary);
        }
    }

    private void Check(int count)
    {
        if (count < 1 || count > _parameters.Slots || !BitOperations.IsPow2(count))
        {
            throw new ArgumentException($"Expected a power of two of values, at most {_parameters.Slots}; found {count}.");
        }
    }
}
