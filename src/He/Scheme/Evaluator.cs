using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// What programs call: operations on ciphertexts of any backend, each of which makes a new one. Operands must agree in level, and in scale where
/// they are added; results carry exact scales and estimated noise, and the ledger counts. A result of zero is a normal result.
/// </summary>
public sealed partial class Evaluator(IBackend backend)
{
    private readonly CkksParameters _parameters = backend.Parameters;

    public CkksParameters Parameters => _parameters;

    /// <summary>What was done so far.</summary>
    public Ledger Ledger { get; } = new();

    /// <summary>a + b; sizes may differ.</summary>
    /// <exception cref="MisuseException">Levels or scales differ.</exception>
    public Ciphertext Add(Ciphertext a, Ciphertext b)
    {
        SameLevelAndScale("add", a, b);
        Ledger.Note(Operation.Add, a.Level);
        return New(backend.Add(a.Payload, b.Payload, a.Level), a.Level, a.Scale, a.NoiseVariance + b.NoiseVariance, a.Magnitude + b.Magnitude);
    }

    /// <summary>a − b; sizes may differ.</summary>
    /// <exception cref="MisuseException">Levels or scales differ.</exception>
    public Ciphertext Subtract(Ciphertext a, Ciphertext b)
    {
        SameLevelAndScale("subtract", a, b);
        Ledger.Note(Operation.Add, a.Level);
        return New(backend.Subtract(a.Payload, b.Payload, a.Level), a.Level, a.Scale, a.NoiseVariance + b.NoiseVariance, a.Magnitude + b.Magnitude);
    }

    public Ciphertext Negate(Ciphertext a)
    {
        Own(a);
        return New(backend.Negate(a.Payload, a.Level), a.Level, a.Scale, a.NoiseVariance, a.Magnitude);
    }

    /// <summary>a + m; m is encoded at the ciphertext's level and scale.</summary>
    public Ciphertext Add(Ciphertext a, PlainVector m)
    {
        Own(a);
        Ledger.Note(Operation.AddPlain, a.Level);
        return Disturbed(backend.Add(a.Payload, m, a.Level, a.Scale), a.Level, a.Scale, a.NoiseVariance, NoiseModel.Rounding, a.Magnitude + m.Magnitude);
    }

    /// <summary>a + c in every slot; the constant is rounded at the ciphertext's scale.</summary>
    public Ciphertext Add(Ciphertext a, double constant)
    {
        Own(a);
        Ledger.Note(Operation.AddPlain, a.Level);
        return New(backend.Add(a.Payload, Scaled(constant, a.Scale), a.Level), a.Level, a.Scale, a.NoiseVariance + NoiseModel.Rounding, a.Magnitude + Math.Abs(constant));
    }

    /// <summary>a·m, slot by slot, m encoded at the scale that lands on the canonical one of the level below after a rescale.</summary>
    public Ciphertext Multiply(Ciphertext a, PlainVector m) => Multiply(a, m, Landing(a));

    /// <summary>a·m, slot by slot; the scales multiply.</summary>
    public Ciphertext Multiply(Ciphertext a, PlainVector m, Scale scale)
    {
        Own(a);
        Ledger.Note(Operation.MultiplyPlain, a.Level);
        var kept = a.NoiseVariance * Math.Pow(m.Magnitude * scale.High, 2);
        var total = NoiseModel.Product(a.NoiseVariance, a.Magnitude * a.Scale.High, NoiseModel.Rounding, m.Magnitude * scale.High, _parameters.Degree);
        return Disturbed(backend.Multiply(a.Payload, m, a.Level, scale), a.Level, a.Scale * scale, kept, total - kept, a.Magnitude * m.Magnitude);
    }

    /// <summary>a·c; the constant is rounded at the scale that lands on the canonical one of the level below after a rescale.</summary>
    public Ciphertext Multiply(Ciphertext a, double constant) => Multiply(a, constant, Landing(a));

    /// <summary>a·c; the constant is rounded at <paramref name="scale"/>, by which the ciphertext's scale is multiplied.</summary>
    public Ciphertext Multiply(Ciphertext a, double constant, Scale scale)
    {
        Own(a);
        Ledger.Note(Operation.MultiplyConstant, a.Level);
        var scaled = Scaled(constant, scale);
        // What rounding leaves out is relative to the constant, not noise of every coefficient.
        var error = ((double)scaled.Scaled / scale.High) - constant;
        var noise = (a.NoiseVariance * Math.Pow((double)scaled.Scaled, 2)) + (Math.Pow(error * a.Magnitude * a.Scale.High * scale.High, 2) / _parameters.Degree);
        return New(backend.Multiply(a.Payload, scaled, a.Level), a.Level, a.Scale * scale, noise, a.Magnitude * Math.Abs(constant));
    }

    /// <summary>a·k without a change of scale: no level is used.</summary>
    public Ciphertext Multiply(Ciphertext a, long integer)
    {
        Own(a);
        Ledger.Note(Operation.MultiplyConstant, a.Level);
        var constant = new ScaledConstant(integer, integer, Scale.One);
        return New(backend.Multiply(a.Payload, constant, a.Level), a.Level, a.Scale, a.NoiseVariance * integer * integer, a.Magnitude * Math.Abs((double)integer));
    }

    /// <summary>a·b as three parts, not relinearised: sums of products need only one relinearisation.</summary>
    /// <exception cref="MisuseException">Levels differ, or an operand has three parts.</exception>
    public Ciphertext MultiplyLazy(Ciphertext a, Ciphertext b)
    {
        SameLevel("multiply", a, b);
        TwoParts("multiply", a);
        TwoParts("multiply", b);
        Ledger.Note(Operation.Multiply, a.Level);
        // Errors of a square's factors are the same, and add up in size.
        var noise = NoiseModel.Product(a.NoiseVariance, a.Magnitude * a.Scale.High, b.NoiseVariance, b.Magnitude * b.Scale.High, _parameters.Degree)
            * (ReferenceEquals(a, b) ? 2 : 1);
        return New(backend.Multiply(a.Payload, b.Payload, a.Level), a.Level, a.Scale * b.Scale, noise, a.Magnitude * b.Magnitude);
    }

    /// <summary>a·b, relinearised.</summary>
    /// <exception cref="MisuseException">Levels differ.</exception>
    /// <exception cref="MissingKeyException">No relinearisation key up to this level.</exception>
    public Ciphertext Multiply(Ciphertext a, Ciphertext b)
    {
        using var product = MultiplyLazy(a, b);
        return Relinearise(product);
    }

    /// <summary>Three parts to two.</summary>
    /// <exception cref="MissingKeyException">No relinearisation key up to this level.</exception>
    public Ciphertext Relinearise(Ciphertext a)
    {
        if (a.Size == 2)
        {
            return DropTo(a, a.Level);
        }

        Own(a);
        Ledger.Note(Operation.Relinearise, a.Level);
        Ledger.NoteKey(KeyRequest.Relinearisation, a.Level);
        return Disturbed(backend.Relinearise(a.Payload, a.Level), a.Level, a.Scale, a.NoiseVariance, NoiseModel.KeySwitch(_parameters, a.Level), a.Magnitude);
    }

    /// <summary>Divides by the top prime with rounding: one level down, the scale by that prime smaller.</summary>
    /// <exception cref="MisuseException">Level 0 has no prime to divide by.</exception>
    public Ciphertext Rescale(Ciphertext a)
    {
        Own(a);
        if (a.Level == 0)
        {
            throw new MisuseException($"Cannot rescale {a}: no level is left. Refresh it, or use parameters with more levels.");
        }

        Ledger.Note(Operation.Rescale, a.Level);
        var prime = Prime(a.Level);
        return Disturbed(backend.Rescale(a.Payload, a.Level), a.Level - 1, a.Scale / prime, a.NoiseVariance / (prime.High * prime.High), NoiseModel.Division(_parameters), a.Magnitude);
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

    /// <summary>To a lower level at that level's canonical scale, by a product with one and a rescale: what makes results of different depth addable.</summary>
    /// <exception cref="MisuseException">The level is above the ciphertext's, or its own with another scale.</exception>
    public Ciphertext AlignTo(Ciphertext a, int level)
    {
        if (level == a.Level && a.Scale.Matches(_parameters.ScaleAt(level)))
        {
            return DropTo(a, level);
        }

        if (level >= a.Level)
        {
            throw new MisuseException($"Cannot align {a} to level {level}, scale {_parameters.ScaleAt(level)}: a change of scale takes one level. Align lower, or refresh.");
        }

        using var dropped = DropTo(a, level + 1);
        using var product = Multiply(dropped, 1.0);
        return Rescale(product);
    }

    /// <summary>Slots to the left by so many places, cyclically.</summary>
    /// <exception cref="MissingKeyException">No key for this rotation up to this level.</exception>
    public Ciphertext Rotate(Ciphertext a, int steps) => RotateMany(a, [steps])[0];

    /// <summary>Conjugates slots.</summary>
    /// <exception cref="MissingKeyException">No key for conjugation up to this level.</exception>
    public Ciphertext Conjugate(Ciphertext a) => Automorphisms(a, [Galois.Conjugation(_parameters)])[0];

    /// <summary>Several rotations of one ciphertext, whose digits are raised once (hoisting).</summary>
    /// <exception cref="MissingKeyException">No key for one of them up to this level.</exception>
    public Ciphertext[] RotateMany(Ciphertext a, IReadOnlyList<int> steps) => Automorphisms(a, [.. steps.Select(step => Galois.Rotation(_parameters, step))]);

    private static void TwoParts(string operation, Ciphertext a)
    {
        if (a.Size != 2)
        {
            throw new MisuseException($"Cannot {operation} {a}: expected two parts. Relinearise it first.");
        }
    }

    private static ScaledConstant Scaled(double constant, Scale scale)
    {
        var scaled = Math.Round(constant * scale.High);
        return Math.Abs(scaled) < Math.ScaleB(1, 120)
            ? new ScaledConstant(constant, (Int128)scaled, scale)
            : throw new MisuseException($"The constant {constant} at scale {scale} is not finite or above 2^120. Use a smaller scale.");
    }

    private Ciphertext[] Automorphisms(Ciphertext a, int[] elements)
    {
        Own(a);
        TwoParts("rotate", a);
        int[] real = [.. elements.Where(e => e != 1)];
        NoteRotations(real, a.Level);

        var moved = real.Length == 0 ? [] : backend.Automorphisms(a.Payload, real, a.Level);
        var next = 0;
        return [.. elements.Select(e => e == 1
            ? DropTo(a, a.Level)
            : Disturbed(moved[next++], a.Level, a.Scale, a.NoiseVariance, NoiseModel.KeySwitch(_parameters, a.Level), a.Magnitude))];
    }

    private Scale Prime(int level) => Scale.FromInteger(_parameters.Chain[level].Value);

    private Scale Landing(Ciphertext a) => a.Level > 0
        ? _parameters.ScaleAt(a.Level - 1) * Prime(a.Level) / a.Scale
        : throw new MisuseException($"Cannot multiply {a}: no level is left to rescale to. Refresh it, or give a scale.");

    private Ciphertext New(IPayload payload, int level, Scale scale, double noise, double magnitude) => new(payload, _parameters, level, scale, noise, magnitude);

    private Ciphertext Disturbed(IPayload payload, int level, Scale scale, double kept, double added, double magnitude)
    {
        backend.Disturb(payload, Math.Sqrt(added * _parameters.Degree) / scale.High);
        return New(payload, level, scale, kept + added, magnitude);
    }

    private void Own(Ciphertext a)
    {
        if (a.Parameters != _parameters && !a.Parameters.Fingerprint.Span.SequenceEqual(_parameters.Fingerprint.Span))
        {
            throw new MisuseException($"The {a} belongs to {a.Parameters}; this evaluator computes with {_parameters}. Encrypt again under these parameters.");
        }
    }

    private void SameLevelAndScale(string operation, Ciphertext a, Ciphertext b)
    {
        SameLevel(operation, a, b);
        if (!a.Scale.Matches(b.Scale))
        {
            throw new MisuseException(FormattableString.Invariant($"Cannot {operation} {a} and {b}: scales differ by a relative {a.Scale.RelativeGap(b.Scale):E2}. Align both to a lower level, or multiply one by a constant whose scale is the ratio."));
        }
    }

    private void SameLevel(string operation, Ciphertext a, Ciphertext b)
    {
        Own(a);
        Own(b);
        if (a.Level != b.Level)
        {
            throw new MisuseException($"Cannot {operation} {a} and {b}: levels differ. Drop the higher one to level {Math.Min(a.Level, b.Level)}, or align it where scales must agree.");
        }
    }
}
