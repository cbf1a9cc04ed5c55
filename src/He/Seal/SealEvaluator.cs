using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Seal;

/// <summary>
/// SEAL's operations on ciphertexts, with results that are equal to SEAL's bit for bit, scales included. Each makes a new ciphertext. A result that
/// is zero is a normal result here, where SEAL may refuse it as transparent.
/// </summary>
public sealed unsafe class SealEvaluator(SealContext context)
{
    private readonly SealParameters _parameters = context.Parameters;
    private readonly RingContext _ring = context.Ring;

    /// <summary>a + b; sizes may differ.</summary>
    /// <exception cref="MisuseException">Levels or scales differ.</exception>
    public SealCiphertext Add(SealCiphertext a, SealCiphertext b) => Combine("add", a, b, (kernels, r, x, y) => kernels.Add((void*)r, (void*)x, (void*)y), negateRest: false);

    /// <summary>a − b; sizes may differ.</summary>
    /// <exception cref="MisuseException">Levels or scales differ.</exception>
    public SealCiphertext Subtract(SealCiphertext a, SealCiphertext b) =>
        Combine("subtract", a, b, (kernels, r, x, y) => kernels.Subtract((void*)r, (void*)x, (void*)y), negateRest: true);

    public SealCiphertext Negate(SealCiphertext a)
    {
        SealMisuse.Own(_parameters, a);
        return New(a, [.. a.Parts.Select(Negated)], a.Scale);
    }

    /// <summary>a + m.</summary>
    /// <exception cref="MisuseException">Levels or scales differ.</exception>
    public SealCiphertext Add(SealCiphertext a, SealPlaintext m)
    {
        SameLevel("add", a, m);
        SameScale("add", a, m, a.Scale, m.Scale);
        Polynomial[] parts = [.. a.Parts.Select(part => context.Copy(part, part.Limbs))];
        _ring.Team.For(parts[0].Limbs, i => _ring.Chain(i).Add(parts[0][i], parts[0][i], m.Polynomial[i]));
        return New(a, parts, a.Scale, m);
    }

    /// <summary>a·m, slot by slot.</summary>
    /// <exception cref="MisuseException">Levels differ, or the product's scale does not fit the level.</exception>
    public SealCiphertext Multiply(SealCiphertext a, SealPlaintext m)
    {
        SameLevel("multiply", a, m);
        var scale = Fitting("multiply", a, a.Scale * m.Scale, a.Level);
        return New(a, [.. a.Parts.Select(part => Product(part, m.Polynomial))], scale, m);
    }

    /// <summary>a·b, of as many parts as both have together less one.</summary>
    /// <exception cref="MisuseException">Levels differ, the product's scale does not fit the level, or it has more than 16 parts.</exception>
    public SealCiphertext Multiply(SealCiphertext a, SealCiphertext b)
    {
        SameLevel("multiply", a, b);
        var size = a.Size + b.Size - 1;
        if (size > SealCiphertext.MaxSize)
        {
            throw new MisuseException($"Cannot multiply {a} and {b}: the product would have {size} parts, more than {SealCiphertext.MaxSize}. Relinearise them first.");
        }

        var scale = Fitting("multiply", a, a.Scale * b.Scale, a.Level);
        Polynomial[] parts = [.. Enumerable.Range(0, size).Select(_ => _ring.NewPolynomial(a.Level + 1))];
        _ring.Team.For(a.Level + 1, i =>
        {
            var kernels = _ring.Chain(i);
            for (var sum = 0; sum < size; sum++)
            {
                kernels.Clear(parts[sum][i]);
                for (var x = Math.Max(0, sum - b.Size + 1); x <= Math.Min(sum, a.Size - 1); x++)
                {
                    kernels.MultiplyAdd(parts[sum][i], a.Parts[x][i], b.Parts[sum - x][i]);
                }
            }
        });
        return New(a, parts, scale, b);
    }

    /// <summary>a·a.</summary>
    /// <exception cref="MisuseException">The product's scale does not fit the level, or it has more than 16 parts.</exception>
    public SealCiphertext Square(SealCiphertext a) => Multiply(a, a);

    /// <summary>Divides by the top prime with rounding: one level down, the scale by that prime smaller.</summary>
    /// <exception cref="MisuseException">Level 0 has no prime to divide by.</exception>
    public SealCiphertext Rescale(SealCiphertext a)
    {
        Above("rescale", a);
        var parts = Array.ConvertAll(a.Parts, part =>
        {
            var divided = _ring.NewPolynomial(a.Level);
            SealDivision.Divide(_ring, part, divided);
            return divided;
        });
        return New(a, parts, a.Scale / _parameters.Primes[a.Level].Value);
    }

    /// <summary>One level down at the same scale.</summary>
    /// <exception cref="MisuseException">Level 0 has none below, or the scale does not fit there.</exception>
    public SealCiphertext ModSwitch(SealCiphertext a)
    {
        Above("switch the modulus of", a);
        var scale = Fitting("switch the modulus of", a, a.Scale, a.Level - 1);
        return New(a, [.. a.Parts.Select(part => context.Copy(part, a.Level))], scale);
    }

    /// <summary>One level down.</summary>
    /// <inheritdoc cref="ModSwitch(SealCiphertext)"/>
    public SealPlaintext ModSwitch(SealPlaintext m)
    {
        SealMisuse.Own(_parameters, m);
        return m.Level > 0
            ? new SealPlaintext(context.Copy(m.Polynomial, m.Level), _parameters.IdAt(m.Level - 1), Fitting("switch the modulus of", m, m.Scale, m.Level - 1))
            : throw new MisuseException($"Cannot switch the modulus of {m}: no level is left. Encode it at a higher level.");
    }

    /// <summary>To two parts.</summary>
    /// <exception cref="MisuseException">The keys are of other parameters, or not enough.</exception>
    public SealCiphertext Relinearise(SealCiphertext a, SealRelinearisationKeys keys)
    {
        SealMisuse.Own(_parameters, a);
        SealMisuse.Own(_parameters, "relinearisation keys", keys.Id);
        if (keys.Count < a.Size - 2)
        {
            throw new MisuseException($"Cannot relinearise {a}: that takes keys for {a.Size - 2} powers of the secret; there are {keys.Count}. Relinearise after every product.");
        }

        var (c0, c1) = (context.Copy(a.Parts[0], a.Level + 1), context.Copy(a.Parts[1], a.Level + 1));
        for (var power = a.Size - 1; power >= 2; power--)
        {
            SealKeySwitcher.Switch(_ring, a.Parts[power], keys.Keys[power - 2], c0, c1);
        }

        GC.KeepAlive(keys);
        return New(a, [c0, c1], a.Scale);
    }

    /// <summary>Slots to the left by so many places, cyclically; to the right if negative. Where there is no key for the steps, by several rotations as SEAL does.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not fewer steps than slots.</exception>
    /// <exception cref="MissingKeyException">No key for the steps, nor for the powers of two that they are made of.</exception>
    /// <exception cref="MisuseException">More than two parts, or keys of other parameters.</exception>
    public SealCiphertext Rotate(SealCiphertext a, int steps, SealGaloisKeys keys)
    {
        var element = SealGalois.Rotation(_parameters, steps);
        if (element == 1 || keys.Keys.ContainsKey(element))
        {
            return Apply(a, element, keys);
        }

        int[] powers = [.. SealGalois.NonAdjacent(steps).Where(power => Math.Abs(power) != _parameters.Slots)];
        if (powers.Length == 1 && powers[0] == steps)
        {
            throw Missing(a, element);
        }

        var current = Apply(a, 1, keys);
        foreach (var power in powers)
        {
            using var previous = current;
            current = Rotate(previous, power, keys);
        }

        return current;
    }

    /// <summary>Conjugates slots.</summary>
    /// <exception cref="MissingKeyException">No key for conjugation.</exception>
    /// <exception cref="MisuseException">More than two parts, or keys of other parameters.</exception>
    public SealCiphertext Conjugate(SealCiphertext a, SealGaloisKeys keys) => Apply(a, SealGalois.Conjugation(_parameters), keys);

    private SealCiphertext Apply(SealCiphertext a, int element, SealGaloisKeys keys)
    {
        SealMisuse.Own(_parameters, a);
        SealMisuse.Own(_parameters, "Galois keys", keys.Id);
        if (a.Size != 2)
        {
            throw new MisuseException($"Cannot rotate {a}: expected two parts. Relinearise it first.");
        }

        if (element == 1)
        {
            return New(a, [.. a.Parts.Select(part => context.Copy(part, part.Limbs))], a.Scale);
        }

        var key = keys.Keys.TryGetValue(element, out var found) ? found : throw Missing(a, element);
        using var moved = _ring.NewPolynomial(a.Level + 1);
        var (c0, c1) = (_ring.NewPolynomial(a.Level + 1), _ring.NewPolynomial(a.Level + 1));
        var map = (nint)_ring.AutomorphismMap(element);
        _ring.Team.For(a.Level + 1, i =>
        {
            var kernels = _ring.Chain(i);
            kernels.Permute(c0[i], a.Parts[0][i], (int*)map);
            kernels.Permute(moved[i], a.Parts[1][i], (int*)map);
            kernels.Clear(c1[i]);
        });
        SealKeySwitcher.Switch(_ring, moved, key, c0, c1);
        GC.KeepAlive(keys);
        return New(a, [c0, c1], a.Scale);
    }

    private static MissingKeyException Missing(SealCiphertext a, int element) =>
        new($"Cannot apply X → X^{element} to {a}: there is no Galois key for it. Ask the owner for one with the element {element}.");

    /// <summary>SEAL's test of equal doubles.</summary>
    private static void SameScale(string operation, object a, object b, double x, double y)
    {
        if (!(Math.Abs(x - y) < Math.ScaleB(1, -52) * Math.Max(Math.Max(x, y), 1)))
        {
            throw new MisuseException(FormattableString.Invariant(
                $"Cannot {operation} {a} and {b}: scales differ by a relative {(x - y) / y:E2}. Encode the plaintext at the ciphertext's scale, or bring both to one scale."));
        }
    }

    private SealCiphertext Combine(string operation, SealCiphertext a, SealCiphertext b, Action<LimbKernels, nint, nint, nint> work, bool negateRest)
    {
        SameLevel(operation, a, b);
        SameScale(operation, a, b, a.Scale, b.Scale);
        var common = Math.Min(a.Size, b.Size);
        Polynomial[] parts = [.. Enumerable.Range(0, common).Select(_ => _ring.NewPolynomial(a.Level + 1))];
        _ring.Team.For(a.Level + 1, i =>
        {
            for (var p = 0; p < common; p++)
            {
                work(_ring.Chain(i), (nint)parts[p][i], (nint)a.Parts[p][i], (nint)b.Parts[p][i]);
            }
        });
        var rest = a.Size > common
            ? a.Parts.Skip(common).Select(part => context.Copy(part, part.Limbs))
            : b.Parts.Skip(common).Select(part => negateRest ? Negated(part) : context.Copy(part, part.Limbs));
        return New(a, [.. parts, .. rest], a.Scale, b);
    }

    private Polynomial Negated(Polynomial part)
    {
        var result = _ring.NewPolynomial(part.Limbs);
        _ring.Team.For(part.Limbs, i => _ring.Chain(i).Negate(result[i], part[i]));
        return result;
    }

    private Polynomial Product(Polynomial x, Polynomial y)
    {
        var result = _ring.NewPolynomial(x.Limbs);
        _ring.Team.For(x.Limbs, i => _ring.Chain(i).Multiply(result[i], x[i], y[i]));
        return result;
    }

    /// <summary>A result with the parts' level; operands are kept alive up to here.</summary>
    private SealCiphertext New(SealCiphertext a, Polynomial[] parts, double scale, object? other = null)
    {
        GC.KeepAlive(a);
        GC.KeepAlive(other);
        return new SealCiphertext(parts, _parameters.IdAt(parts[0].Limbs - 1), scale);
    }

    private void Above(string operation, SealCiphertext a)
    {
        SealMisuse.Own(_parameters, a);
        if (a.Level == 0)
        {
            throw new MisuseException($"Cannot {operation} {a}: no level is left. Encrypt anew, or use parameters with more primes.");
        }
    }

    private double Fitting(string operation, object a, double scale, int level) => scale > 0 && double.IsFinite(scale) && (int)Math.Log2(scale) < _parameters.ModulusBits(level)
        ? scale
        : throw new MisuseException(FormattableString.Invariant(
            $"Cannot {operation} {a}: a scale of 2^{Math.Log2(scale):F1} does not fit the {_parameters.ModulusBits(level)} bits of level {level}. Rescale first."));

    private void SameLevel(string operation, SealCiphertext a, SealCiphertext b)
    {
        SealMisuse.Own(_parameters, a);
        SealMisuse.Own(_parameters, b);
        if (a.Level != b.Level)
        {
            throw new MisuseException($"Cannot {operation} {a} and {b}: levels differ. Switch the modulus of the higher one down to level {Math.Min(a.Level, b.Level)}.");
        }
    }

    private void SameLevel(string operation, SealCiphertext a, SealPlaintext m)
    {
        SealMisuse.Own(_parameters, a);
        SealMisuse.Own(_parameters, m);
        if (a.Level != m.Level)
        {
            throw new MisuseException($"Cannot {operation} {a} and {m}: levels differ. Encode the plaintext at level {a.Level}.");
        }
    }
}
