using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// (c₀, c₁) mod q₀ to all primes: switched to the sparse secret mod q₀·p₀, taken as centred whole numbers, and switched back. What it decrypts to has grown by a multiple of q₀ in each coefficient, about
/// √((h+1)/12) in size.
/// </summary>
internal sealed unsafe class ModulusRaising
{
    private readonly CkksContext _context;
    private readonly RingContext _ring;
    private readonly EncapsulationKeys _keys;
    private readonly KeySwitcher _switcher;
    private readonly BaseConversion _lift;
    private readonly BaseConversion _divide;
    private readonly BaseConversion _raise;

    public ModulusRaising(CkksContext context, EncapsulationKeys keys, KeySwitcher switcher)
    {
        (_context, _ring, _keys, _switcher) = (context, context.Ring, keys, switcher);
        var (q0, p0) = (_ring.Chain(0), _ring.Special(0));
        _lift = new BaseConversion([q0], [p0]);
        _divide = new BaseConversion([p0], [q0]);
        _raise = new BaseConversion([q0], Enumerable.Range(1, _ring.ChainLength - 1).Select(_ring.Chain).Concat(Enumerable.Range(0, _ring.SpecialLength).Select(_ring.Special)));
    }

    public LimbPayload Raise(Polynomial[] x)
    {
        using var sparse = ToSparse(x);
        var (top, limbs) = (_ring.ChainLength - 1, _ring.ChainLength);
        Polynomial[] parts = [_ring.NewPolynomial(limbs), _ring.NewPolynomial(limbs)];
        using var prepared = _ring.NewPolynomial(2);
        using var multiples = _ring.NewPolynomial(2);
        for (var p = 0; p < 2; p++)
        {
            _ring.Chain(0).Copy(prepared[p], sparse[p]);
            _raise.Prepare(0, prepared[p]);
            _raise.Multiples(multiples[p], prepared, p);
        }

        using var sum0 = _ring.NewPolynomial(limbs, special: true);
        using var sum1 = _ring.NewPolynomial(limbs, special: true);
        _ring.Team.For(sum0.Limbs, t =>
        {
            var kernels = _ring.Of(sum0, t);
            using var raised = _ring.NewPolynomial(1);
            Limb(t, 1, raised[0]);
            kernels.Multiply(sum0[t], raised[0], _keys.DenseB[t]);
            kernels.Multiply(sum1[t], raised[0], _keys.DenseA[t]);
            if (t < limbs)
            {
                Limb(t, 0, parts[0][t]);
            }
        });
        _switcher.Divide(sum0, top, parts[0], add: true);
        _switcher.Divide(sum1, top, parts[1], add: false);
        GC.KeepAlive(_keys);
        return new LimbPayload(parts);

        void Limb(int t, int part, void* result)
        {
            if (t == 0)
            {
                _ring.Chain(0).Copy(result, sparse[part]);
            }
            else
            {
                _raise.Convert(t - 1, result, prepared, part, multiples[part]);
            }
        }
    }

    /// <summary>c₁ times the key, over q₀ and p₀, divided by p₀.</summary>
    private Polynomial ToSparse(Polynomial[] x)
    {
        var (q0, p0) = (_ring.Chain(0), _ring.Special(0));
        var result = _ring.NewPolynomial(2);
        using var work = _ring.NewPolynomial(4);
        q0.Copy(work[0], x[1][0]);
        _lift.Prepare(0, work[0]);
        _lift.Multiples(work[1], work, 0);
        _lift.Convert(0, work[2], work, 0, work[1]);
        for (var p = 0; p < 2; p++)
        {
            var key = p == 0 ? _keys.SparseB : _keys.SparseA;
            q0.Multiply(result[p], x[1][0], key[0]);
            p0.Multiply(work[0], work[2], key[1]);
            _divide.Prepare(0, work[0]);
            _divide.Multiples(work[1], work, 0);
            _divide.Convert(0, work[3], work, 0, work[1]);
            _divide.Divide(0, result[p], result[p], work[3]);
        }

        q0.Add(result[0], result[0], x[0][0]);
        GC.KeepAlive(_keys);
        return result;
    }
}
