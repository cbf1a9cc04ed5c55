using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// What programs call: operations on ciphertexts of any backend, each of which makes a new one. Of two operands the higher is brought to the
/// level of the lower and to the scale that fits; results carry exact scales and estimated noise, and the ledger counts. A result of zero is a
/// normal result. Several threads may use one evaluator.
/// </summary>
public sealed partial class Evaluator(IBackend backend)
{
    private readonly CkksParameters _parameters = backend.Parameters;

    public CkksParameters Parameters => _parameters;

    /// <summary>What was done so far.</summary>
    public Ledger Ledger { get; } = new();

    /// <summary>Calls <paramref name="work"/> with 0 … count − 1, on as many threads as the backend was given: for independent ciphertexts.</summary>
    public void ForEach(int count, Action<int> work) => backend.Spread(count, work);

    /// <summary>a + b; sizes and levels may differ.</summary>
    /// <exception cref="MisuseException">Scales differ at the same level, or cannot be brought together.</exception>
    public Ciphertext Add(Ciphertext a, Ciphertext b)
    {
        using var pair = ForSum("add", a, b);
        (a, b) = (pair.A, pair.B);
        Ledger.Note(Operation.Add, a.Level);
        return New(backend.Add(a.Payload, b.Payload, a.Level), a.Level, a.Scale, a.NoiseVariance + b.NoiseVariance, a.Magnitude + b.Magnitude);
    }

    /// <summary>a − b; sizes and levels may differ.</summary>
    /// <exception cref="MisuseException">Scales differ at the same level, or cannot be brought together.</exception>
    public Ciphertext Subtract(Ciphertext a, Ciphertext b)
    {
        using var pair = ForSum("subtract", a, b);
        (a, b) = (pair.A, pair.B);
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
    /// <exception cref="MisuseException">An operand has three parts, or scales cannot be brought together.</exception>
    public Ciphertext MultiplyLazy(Ciphertext a, Ciphertext b)
    {
        TwoParts("multiply", a);
        TwoParts("multiply", b);
        using var pair = ForProduct(a, b);
        (a, b) = (pair.A, pair.B);
        Ledger.Note(Operation.Multiply, a.Level);
        // Errors of a square's factors are the same, and add up in size.
        var noise = NoiseModel.Product(a.NoiseVariance, a.Magnitude * a.Scale.High, b.NoiseVariance, b.Magnitude * b.Scale.High, _parameters.Degree)
            * (ReferenceEquals(a, b) ? 2 : 1);
        return New(backend.Multiply(a.Payload, b.Payload, a.Level), a.Level, a.Scale * b.Scale, noise, a.Magnitude * b.Magnitude);
    }

    /// <summary>a·b, relinearised.</summary>
    /// <exception cref="MisuseException">An operand has three parts, or scales cannot be brought together.</exception>
    /// <exception cref="MissingKeyException">No relinearisation key up to this level.</exception>
    public Ciphertext Multiply(Ciphertext a, Ciphertext b)
    {
        using var product = MultiplyLazy(a, b);
        return Relinearise(product);
    }

    /// <summary>a², relinearised.</summary>
    /// <exception cref="MissingKeyException">No relinearisation key up to this level.</exception>
    public Ciphertext Square(Ciphertext a) => Multiply(a, a);

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
        return Math.Abs(scaled) < Math.ScaleB(1, 126)
            ? new ScaledConstant(constant, (Int128)scaled, scale)
            : throw new MisuseException($"The constant {constant} at scale {scale} is not finite or above 2^126. Use a smaller scale.");
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
}
