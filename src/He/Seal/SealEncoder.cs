using System.Numerics;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>
/// Numbers to SEAL's plaintexts and back. A coefficient may differ by one from SEAL's own, whose Fourier transform rounds in another order.
/// </summary>
public sealed unsafe class SealEncoder(SealContext context)
{
    /// <summary>Largest size of a scaled coefficient that is carried exactly.</summary>
    private const int MaxCoefficientBits = 120;

    private readonly SealParameters _parameters = context.Parameters;
    private readonly SealSlots _slots = new(context.Parameters.LogDegree);

    /// <summary>Complex slots, at most N/2; those missing are zero, as in SEAL.</summary>
    /// <param name="level">Level of the plaintext, at which it takes level + 1 primes.</param>
    /// <exception cref="ArgumentException">Too many values, one is not finite, or scaled values or the scale do not fit the level's modulus.</exception>
    public SealPlaintext Encode(ReadOnlySpan<Complex> values, int level, double scale)
    {
        Check(values.Length, level, scale);
        var (re, im) = (new double[_parameters.Slots], new double[_parameters.Slots]);
        for (var i = 0; i < values.Length; i++)
        {
            (re[i], im[i]) = (values[i].Real, values[i].Imaginary);
        }

        (re, im) = _slots.ToCoefficients(re, im);
        using var numbers = context.Ring.NewPolynomial(1, secret: true);
        var coefficients = new Span<double>(numbers[0], _parameters.Degree);
        var bits = Math.Min(MaxCoefficientBits, _parameters.ModulusBits(level) - 1);
        var bound = Math.ScaleB(1, bits);
        for (var i = 0; i < re.Length; i++)
        {
            var (x, y) = (Math.Round(re[i] * scale), Math.Round(im[i] * scale));
            if (!(Math.Abs(x) < bound && Math.Abs(y) < bound))
            {
                throw new ArgumentException(FormattableString.Invariant(
                    $"A value at scale 2^{Math.Log2(scale):F2} is not finite or above 2^{bits}. Encode smaller values, at a smaller scale or a higher level."));
            }

            (coefficients[i], coefficients[i + re.Length]) = (x, y);
        }

        var polynomial = context.Ring.NewPolynomial(level + 1);
        var source = (nint)numbers[0];
        context.Ring.Team.For(level + 1, i =>
        {
            context.Ring.Chain(i).FromNumbers(polynomial[i], (double*)source);
            context.Ring.Chain(i).Forward(polynomial[i]);
        });
        return new SealPlaintext(polynomial, _parameters.IdAt(level), scale);
    }

    /// <summary>Real slots.</summary>
    /// <inheritdoc cref="Encode(ReadOnlySpan{Complex}, int, double)"/>
    public SealPlaintext Encode(ReadOnlySpan<double> values, int level, double scale) => Encode([.. values.ToArray().Select(value => new Complex(value, 0))], level, scale);

    /// <summary>The slots of a plaintext, for the owner's eyes.</summary>
    internal Complex[] Decode(SealPlaintext plaintext)
    {
        using var copy = context.Ring.NewPolynomial(plaintext.Level + 1, secret: true);
        context.CopyInto(copy, plaintext.Polynomial);
        context.Ring.Inverse(copy);
        var (re, im) = (new double[_parameters.Slots], new double[_parameters.Slots]);
        var radix = new MixedRadix(_parameters.Primes.Take(plaintext.Level + 1));
        Span<ulong> residues = stackalloc ulong[copy.Limbs];
        for (var k = 0; k < _parameters.Degree; k++)
        {
            for (var i = 0; i < residues.Length; i++)
            {
                residues[i] = ((ulong*)copy[i])[k];
            }

            (k < re.Length ? re : im)[k % re.Length] = radix.Centred(residues) / plaintext.Scale;
        }

        (re, im) = _slots.ToSlots(re, im);
        return [.. re.Zip(im, (x, y) => new Complex(x, y))];
    }

    private void Check(int count, int level, double scale)
    {
        if (count > _parameters.Slots)
        {
            throw new ArgumentException($"Expected at most {_parameters.Slots} values; found {count}.");
        }

        if (level < 0 || level > _parameters.MaxLevel)
        {
            throw new ArgumentOutOfRangeException(nameof(level), level, $"Levels of {_parameters} are 0 to {_parameters.MaxLevel}.");
        }

        if (!double.IsNormal(scale) || scale <= 0 || (int)Math.Log2(scale) + 1 >= _parameters.ModulusBits(level))
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"A scale is a normal positive number of fewer bits than the {_parameters.ModulusBits(level)} of level {level}; found {scale}."));
        }
    }

    /// <summary>Residues to the centred number, to 53 bits: digits of mixed radix are centred too, so that the highest one that is not zero leads.</summary>
    private sealed class MixedRadix
    {
        private readonly Modulus[] _primes;
        private readonly ulong[][] _products;
        private readonly ulong[] _inverses;
        private readonly double[] _radices;

        public MixedRadix(IEnumerable<Modulus> primes)
        {
            _primes = [.. primes];
            (_products, _inverses, _radices) = (new ulong[_primes.Length][], new ulong[_primes.Length], new double[_primes.Length]);
            for (var i = 0; i < _primes.Length; i++)
            {
                // q₀ · … · q_{j−1} mod qᵢ for j up to i, the last of which the digit is divided by.
                _products[i] = new ulong[i + 1];
                ulong product = 1;
                for (var j = 0; j < i; j++)
                {
                    _products[i][j] = product;
                    product = _primes[i].Multiply(product, _primes[i].Reduce(_primes[j].Value));
                }

                _inverses[i] = _primes[i].Inverse(product);
                _radices[i] = i == 0 ? 1 : _radices[i - 1] * _primes[i - 1].Value;
            }
        }

        public double Centred(ReadOnlySpan<ulong> residues)
        {
            double value = 0;
            Span<long> digits = stackalloc long[_primes.Length];
            for (var i = 0; i < _primes.Length; i++)
            {
                var (q, rest) = (_primes[i], residues[i]);
                for (var j = 0; j < i; j++)
                {
                    rest = q.Subtract(rest, q.Multiply(q.Reduce(digits[j]), _products[i][j]));
                }

                digits[i] = q.Centre(q.Multiply(rest, _inverses[i]));
                // A digit of zero has no say, even where its radix is beyond the doubles.
                value += digits[i] == 0 ? 0 : digits[i] * _radices[i];
            }

            return value;
        }
    }
}
