using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Scheme;

/// <content>Levels and scales: rescaling, dropping, and bringing operands together.</content>
public sealed partial class Evaluator
{
    /// <summary>A change of scale multiplies by a rounded constant; it may be off by no more than this.</summary>
    private const double AlignmentError = 1.0 / (1 << 30);

    private static readonly PlainVector ImaginaryUnit = new([System.Numerics.Complex.ImaginaryOne]);

    /// <summary>Divides by the top prime with rounding (by the two of a paired level): one level down, the scale by that much smaller.</summary>
    /// <exception cref="MisuseException">The lowest level has no prime to divide by.</exception>
    public Ciphertext Rescale(Ciphertext a)
    {
        Own(a);
        if (a.Level == 0)
        {
            throw new MisuseException($"Cannot rescale {a}: no level is left. Refresh it, or use parameters with more levels.");
        }

        var below = _parameters.Below(a.Level);
        var current = a;
        while (current.Level > below)
        {
            var next = DivideByTop(current);
            if (current != a)
            {
                current.Dispose();
            }

            current = next;
        }

        return current;
    }

    /// <summary>Fewer limbs at the same scale.</summary>
    /// <exception cref="MisuseException">The level is above the ciphertext's.</exception>
    public Ciphertext DropTo(Ciphertext a, int level)
    {
        Own(a);
        return level >= 0 && level <= a.Level
            ? New(backend.Drop(a.Payload, level), level, a.Scale, a.NoiseVariance, a.Magnitude)
            : throw new MisuseException($"Cannot drop {a} to level {level}: levels only fall, from 0 to {a.Level} here. Refresh it to rise.");
    }

    /// <summary>To a level at its canonical scale.</summary>
    /// <inheritdoc cref="AlignTo(Ciphertext, int, Scale)"/>
    public Ciphertext AlignTo(Ciphertext a, int level) => AlignTo(a, level, _parameters.ScaleAt(level));

    /// <summary>
    /// To a lower level at a scale, by a product with one and a rescale: what makes results of different depth addable. Where the scale is right
    /// already, limbs are dropped.
    /// </summary>
    /// <exception cref="MisuseException">The level is above the ciphertext's, or its own with another scale, or no constant gives the scale closely.</exception>
    public Ciphertext AlignTo(Ciphertext a, int level, Scale scale)
    {
        if (level <= a.Level && a.Scale.Matches(scale))
        {
            return DropTo(a, level);
        }

        if (level >= a.Level)
        {
            throw new MisuseException($"Cannot align {a} to level {level}, scale {scale}: a change of scale takes one level. Align lower, or refresh.");
        }

        var above = _parameters.Above(level);
        var ratio = scale * _parameters.Divisor(above) / a.Scale;
        if (Math.Abs((Math.Round(ratio.High) / ratio.High) - 1) <= AlignmentError)
        {
            using var dropped = DropTo(a, above);
            using var product = Multiply(dropped, 1.0, ratio);
            return Rescale(product);
        }

        // A product that was not rescaled: its scale leaves no room for a constant before it is.
        if (_parameters.Below(a.Level) > level)
        {
            using var rescaled = Rescale(a);
            return AlignTo(rescaled, level, scale);
        }

        throw new MisuseException($"Cannot align {a} to level {level}, scale {scale}: the constant between the scales would be {ratio.High:G6}, too small to be rounded. Rescale it first.");
    }

    /// <summary>
    /// The first step of bootstrapping: from level 0 to the top. The message's coefficients in units of q₀ are what they were, and each has a whole number added to it, as
    /// <see cref="EncapsulationParameters"/> tells; the result's scale is q₀, so its slots are those of that polynomial.
    /// </summary>
    /// <exception cref="MisuseException">The ciphertext has three parts or another level than 0.</exception>
    /// <exception cref="MissingKeyException">There are no keys for it.</exception>
    internal Ciphertext RaiseModulus(Ciphertext a)
    {
        Own(a);
        TwoParts("raise", a);
        if (a.Level != 0)
        {
            throw new MisuseException($"Cannot raise the modulus of {a}: expected level 0. Drop it first.");
        }

        Ledger.Note(Operation.RaiseModulus, _parameters.MaxLevel);
        var (units, added) = (Scale.FromInteger(_parameters.Chain[0].Value), NoiseModel.Encapsulation(_parameters));
        return Disturbed(backend.RaiseModulus(a.Payload, a.Scale), _parameters.MaxLevel, units, a.NoiseVariance, added, Math.Sqrt(_parameters.Degree));
    }

    /// <summary>i·a in every slot: a product with X^(N/2), exact, at no level.</summary>
    internal Ciphertext MultiplyByI(Ciphertext a)
    {
        Own(a);
        Ledger.Note(Operation.MultiplyConstant, a.Level);
        return New(backend.Multiply(a.Payload, ImaginaryUnit, a.Level, Scale.One), a.Level, a.Scale, a.NoiseVariance, a.Magnitude);
    }

    private Ciphertext DivideByTop(Ciphertext a)
    {
        Ledger.Note(Operation.Rescale, a.Level);
        var prime = Scale.FromInteger(_parameters.Chain[a.Level].Value);
        return Disturbed(backend.Rescale(a.Payload, a.Level), a.Level - 1, a.Scale / prime, a.NoiseVariance / (prime.High * prime.High), NoiseModel.Division(_parameters), a.Magnitude);
    }

    /// <summary>What a plain operand is scaled by, so that the product lands on the canonical scale of the level below after a rescale.</summary>
    private Scale Landing(Ciphertext a) => a.Level > 0
        ? _parameters.ScaleAt(_parameters.Below(a.Level)) * _parameters.Divisor(a.Level) / a.Scale
        : throw new MisuseException($"Cannot multiply {a}: no level is left to rescale to. Refresh it, or give a scale.");

    /// <summary>Two operands of a sum: at the lower one's level and scale.</summary>
    private Operands ForSum(string operation, Ciphertext a, Ciphertext b)
    {
        Own(a);
        Own(b);
        if (a.Level != b.Level)
        {
            return a.Level > b.Level ? new Operands(AlignTo(a, b.Level, b.Scale), b, First: true) : new Operands(a, AlignTo(b, a.Level, a.Scale), First: false);
        }

        return a.Scale.Matches(b.Scale)
            ? new Operands(a, b, null)
            : throw new MisuseException(FormattableString.Invariant($"Cannot {operation} {a} and {b}: scales differ by a relative {a.Scale.RelativeGap(b.Scale):E2}. Align both to a lower level, or multiply one by a constant whose scale is the ratio."));
    }

    /// <summary>Two operands of a product: the higher at the lower one's level and the scale that lands on the canonical one after a rescale.</summary>
    private Operands ForProduct(Ciphertext a, Ciphertext b)
    {
        Own(a);
        Own(b);
        if (a.Level == b.Level)
        {
            return new Operands(a, b, null);
        }

        var lower = a.Level < b.Level ? a : b;
        var higher = a.Level < b.Level ? b : a;
        // At the lowest level nothing will be rescaled, so the scale does not matter.
        var aligned = lower.Level == 0 ? DropTo(higher, 0) : AlignTo(higher, lower.Level, Landing(lower));
        return lower == a ? new Operands(a, aligned, First: false) : new Operands(aligned, b, First: true);
    }

    /// <summary>Two operands, one of which may have been made for the operation and is freed with it.</summary>
    private readonly record struct Operands(Ciphertext A, Ciphertext B, bool? First) : IDisposable
    {
        public void Dispose() => (First switch
        {
            true => A,
            false => B,
            null => null,
        })?.Dispose();
    }
}
