using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>The engine: operations on limbs, with public evaluation keys.</summary>
public sealed unsafe partial class CkksBackend(CkksContext context, EvaluationKeys keys) : IBackend
{
    private readonly RingContext _ring = context.Ring;
    private readonly KeySwitcher _switcher = new(context);
    private readonly Encoder _encoder = new(context);
    private readonly Lock _gate = new();
    private ModulusRaising? _raising;

    public CkksParameters Parameters => context.Parameters;

    public IPayload Add(IPayload a, IPayload b, int level) => Combine(a, b, level, subtract: false);

    public IPayload Subtract(IPayload a, IPayload b, int level) => Combine(a, b, level, subtract: true);

    public IPayload Negate(IPayload a, int level) => Map(a, level, (kernels, _, r, x) => kernels.Negate((void*)r, (void*)x));

    public IPayload Add(IPayload a, PlainVector m, int level, Scale scale)
    {
        using var plaintext = _encoder.Encode([.. m.Values], level, scale);
        var result = Drop(a, level);
        var c0 = LimbPayload.Of(result)[0];
        _ring.Team.For(level + 1, i => _ring.Chain(i).Add(c0[i], c0[i], plaintext.Polynomial[i]));
        return result;
    }

    public IPayload Add(IPayload a, ScaledConstant constant, int level)
    {
        var result = Drop(a, level);
        var c0 = LimbPayload.Of(result)[0];
        _ring.Team.For(level + 1, i =>
        {
            var kernels = _ring.Chain(i);
            kernels.AddScalar(c0[i], c0[i], Residue(kernels.Modulus, constant.Scaled));
        });
        GC.KeepAlive(result);
        return result;
    }

    public IPayload Multiply(IPayload a, PlainVector m, int level, Scale scale)
    {
        using var plaintext = _encoder.Encode([.. m.Values], level, scale);
        return Multiply(a, plaintext);
    }

    public IPayload Multiply(IPayload a, ScaledConstant constant, int level) =>
        Map(a, level, (kernels, _, r, x) => kernels.MultiplyScalar((void*)r, (void*)x, Residue(kernels.Modulus, constant.Scaled)));

    public IPayload Multiply(IPayload a, IPayload b, int level)
    {
        var (x, y, limbs) = (LimbPayload.Of(a), LimbPayload.Of(b), level + 1);
        Polynomial[] parts = [_ring.NewPolynomial(limbs), _ring.NewPolynomial(limbs), _ring.NewPolynomial(limbs)];
        _ring.Team.For(limbs, i =>
        {
            var kernels = _ring.Chain(i);
            kernels.Multiply(parts[0][i], x[0][i], y[0][i]);
            if (a == b)
            {
                kernels.Multiply(parts[1][i], x[0][i], x[1][i]);
                kernels.Add(parts[1][i], parts[1][i], parts[1][i]);
            }
            else
            {
                kernels.MultiplyCross(parts[1][i], x[0][i], y[1][i], x[1][i], y[0][i]);
            }

            kernels.Multiply(parts[2][i], x[1][i], y[1][i]);
        });
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        return new LimbPayload(parts);
    }

    public IPayload Relinearise(IPayload a, int level)
    {
        var x = LimbPayload.Of(a);
        var key = keys.Get(KeyRequest.Relinearisation, level, "Relinearisation");
        Polynomial[] parts = [_ring.NewPolynomial(level + 1), _ring.NewPolynomial(level + 1)];
        _switcher.Switch(x[2], level, key, (i, switched0, switched1) =>
        {
            _ring.Chain(i).Add(parts[0][i], x[0][i], (void*)switched0);
            _ring.Chain(i).Add(parts[1][i], x[1][i], (void*)switched1);
        });
        GC.KeepAlive(a);
        return new LimbPayload(parts);
    }

    public IPayload Rescale(IPayload a, int level)
    {
        var (x, parts, drop) = (LimbPayload.Of(a), NewParts(a.Size, level - 1), context.DropTop(level));
        using var dropped = _ring.NewPolynomial(parts.Length);
        using var multiples = _ring.NewPolynomial(parts.Length);
        _ring.Team.For(parts.Length, p =>
        {
            drop.Prepare(0, dropped[p], x[p][level]);
            drop.Multiples(multiples[p], dropped, p);
        });
        _ring.Team.For(parts.Length * level, piece =>
        {
            var (p, i) = Math.DivRem(piece, level);
            drop.Convert(i, parts[p][i], dropped, p, multiples[p]);
            drop.Divide(i, parts[p][i], x[p][i], parts[p][i]);
        });
        GC.KeepAlive(a);
        return new LimbPayload(parts);
    }

    public IPayload Drop(IPayload a, int level)
    {
        // Fewer limbs of the same uniform polynomial, so the seed still stands for c₁; callers change c₀ at most.
        var result = new LimbPayload([.. LimbPayload.Of(a).Select(part => _ring.Copy(part, level + 1))], ((LimbPayload)a).Seed);
        GC.KeepAlive(a);
        return result;
    }

    public IPayload[] Automorphisms(IPayload a, IReadOnlyList<int> elements, int level)
    {
        var x = LimbPayload.Of(a);
        if (elements.Count == 1)
        {
            IPayload[] only = [Automorphism(x, elements[0], level)];
            GC.KeepAlive(a);
            return only;
        }

        // Digits are raised once for all (hoisting).
        var digits = _switcher.Raise(x[1], level);
        try
        {
            return [.. elements.Select(element => Hoisted(x, digits, element, level))];
        }
        finally
        {
            Array.ForEach(digits, digit => digit.Dispose());
            GC.KeepAlive(a);
        }
    }

    /// <exception cref="MissingKeyException">The keys have none for bootstrapping.</exception>
    public IPayload RaiseModulus(IPayload a, Scale scale)
    {
        var encapsulation = keys.Encapsulation ?? throw new MissingKeyException("Raising a modulus needs keys to a sparse secret and back, and none were made. Make keys for bootstrapping.");
        ModulusRaising raising;
        lock (_gate)
        {
            raising = _raising ??= new ModulusRaising(context, encapsulation, _switcher);
        }

        var result = raising.Raise(LimbPayload.Of(a));
        GC.KeepAlive(a);
        return result;
    }

    public void Spread(int count, Action<int> work) => _ring.Team.For(count, work);

    internal IPayload Multiply(IPayload a, Plaintext m)
    {
        var result = Map(a, m.Level, (kernels, i, r, x) => kernels.Multiply((void*)r, (void*)x, m.Polynomial[i]));
        GC.KeepAlive(m);
        return result;
    }

    private static ulong Residue(Modulus modulus, Int128 value)
    {
        var size = (UInt128)Int128.Abs(value);
        var rest = modulus.Reduce((ulong)(size >> 64), (ulong)size);
        return value < 0 ? modulus.Negate(rest) : rest;
    }

    private LimbPayload Automorphism(Polynomial[] x, int element, int level) =>
        Permuted(x[0], element, level, (key, use) => _switcher.Switch(x[1], level, key, use));

    private LimbPayload Hoisted(Polynomial[] x, Polynomial[] digits, int element, int level) =>
        Permuted(x[0], element, level, (key, use) => _switcher.Switch(digits, level, key, use));

    private LimbPayload Permuted(Polynomial c0, int element, int level, Action<SwitchingKey, Action<int, nint, nint>> switching)
    {
        var map = (nint)_ring.AutomorphismMap(element);
        Polynomial[] parts = [_ring.NewPolynomial(level + 1), _ring.NewPolynomial(level + 1)];
        switching(keys.Get(element, level, "An automorphism"), (i, switched0, switched1) =>
        {
            var kernels = _ring.Chain(i);
            kernels.Add((void*)switched0, (void*)switched0, c0[i]);
            kernels.Permute(parts[0][i], (void*)switched0, (int*)map);
            kernels.Permute(parts[1][i], (void*)switched1, (int*)map);
        });
        return new LimbPayload(parts);
    }

    private Polynomial[] NewParts(int size, int level)
    {
        var parts = new Polynomial[size];
        for (var p = 0; p < size; p++)
        {
            parts[p] = _ring.NewPolynomial(level + 1);
        }

        return parts;
    }

    private LimbPayload Map(IPayload a, int level, Action<LimbKernels, int, nint, nint> work)
    {
        var (x, parts) = (LimbPayload.Of(a), NewParts(a.Size, level));
        _ring.Team.For(level + 1, i =>
        {
            for (var p = 0; p < parts.Length; p++)
            {
                work(_ring.Chain(i), i, (nint)parts[p][i], (nint)x[p][i]);
            }
        });
        GC.KeepAlive(a);
        return new LimbPayload(parts);
    }

    private LimbPayload Combine(IPayload a, IPayload b, int level, bool subtract)
    {
        var (x, y, parts) = (LimbPayload.Of(a), LimbPayload.Of(b), NewParts(Math.Max(a.Size, b.Size), level));
        _ring.Team.For(level + 1, i =>
        {
            var kernels = _ring.Chain(i);
            for (var p = 0; p < parts.Length; p++)
            {
                switch (p < x.Length, p < y.Length, subtract)
                {
                    case (true, true, false):
                        kernels.Add(parts[p][i], x[p][i], y[p][i]);
                        break;
                    case (true, true, true):
                        kernels.Subtract(parts[p][i], x[p][i], y[p][i]);
                        break;
                    case (true, false, _):
                        kernels.Copy(parts[p][i], x[p][i]);
                        break;
                    case (false, _, true):
                        kernels.Negate(parts[p][i], y[p][i]);
                        break;
                    default:
                        kernels.Copy(parts[p][i], y[p][i]);
                        break;
                }
            }
        });
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        return new LimbPayload(parts);
    }
}
