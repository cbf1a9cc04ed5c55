using System.Runtime.CompilerServices;

namespace ActorTrainer.He.Ring;

/// <summary>
/// Words are residues in [0, q) as 64-bit integers; every operation is scalar and exact, for primes of up to 61 bits. Transforms
/// are Harvey's with Shoup's precomputed quotients, in SEAL's order: place i holds the value at ψ^(2·brv(i)+1).
/// </summary>
public sealed unsafe class IntegerKernels : LimbKernels
{
    private readonly ulong[] _forward;
    private readonly ulong[] _forwardQuotients;
    private readonly ulong[] _inverse;
    private readonly ulong[] _inverseQuotients;
    private readonly ulong _inverseDegree;

    public IntegerKernels(Modulus modulus, int logDegree)
        : base(modulus, logDegree)
    {
        var roots = new NttRoots(modulus, logDegree);
        (_forward, _inverse, _inverseDegree) = (roots.Forward, roots.Inverse, roots.InverseDegree);
        (_forwardQuotients, _inverseQuotients) = (Array.ConvertAll(_forward, Quotient), Array.ConvertAll(_inverse, Quotient));
    }

    public override int PlaceOf(int bitReversedIndex) => bitReversedIndex;

    public override void Forward(void* limb)
    {
        var x = (ulong*)limb;
        var q = Modulus.Value;
        for (int groups = 1, half = Degree >> 1; half > 0; groups <<= 1, half >>= 1)
        {
            for (var g = 0; g < groups; g++)
            {
                var (w, quotient) = (_forward[groups + g], _forwardQuotients[groups + g]);
                var a = x + (2L * g * half);
                for (var b = a + half; b < x + (2L * (g + 1) * half); a++, b++)
                {
                    // Values stay below 4q: q has at most 61 bits.
                    var u = Below(*a, 2 * q);
                    var v = MultiplyLazy(*b, w, quotient, q);
                    *a = u + v;
                    *b = u + (2 * q) - v;
                }
            }
        }

        for (var i = 0; i < Degree; i++)
        {
            x[i] = Below(Below(x[i], 2 * q), q);
        }
    }

    public override void Inverse(void* result, void* limb, ulong factor)
    {
        if (result != limb)
        {
            Copy(result, limb);
        }

        var x = (ulong*)result;
        var q = Modulus.Value;
        for (int groups = Degree >> 1, half = 1; groups > 0; groups >>= 1, half <<= 1)
        {
            for (var g = 0; g < groups; g++)
            {
                var (w, quotient) = (_inverse[groups + g], _inverseQuotients[groups + g]);
                var a = x + (2L * g * half);
                for (var b = a + half; b < x + (2L * (g + 1) * half); a++, b++)
                {
                    var (u, v) = (*a, *b);
                    *a = Below(u + v, 2 * q);
                    *b = MultiplyLazy(u + (2 * q) - v, w, quotient, q);
                }
            }
        }

        var scale = Modulus.Multiply(_inverseDegree, factor);
        var scaleQuotient = Quotient(scale);
        for (var i = 0; i < Degree; i++)
        {
            x[i] = Below(MultiplyLazy(x[i], scale, scaleQuotient, q), q);
        }
    }

    public override void Add(void* result, void* a, void* b)
    {
        var r = (ulong*)result;
        var x = (ulong*)a;
        var y = (ulong*)b;
        var modulus = Modulus;
        for (var i = 0; i < Degree; i++)
        {
            r[i] = modulus.Add(x[i], y[i]);
        }
    }

    public override void Subtract(void* result, void* a, void* b)
    {
        var r = (ulong*)result;
        var x = (ulong*)a;
        var y = (ulong*)b;
        var modulus = Modulus;
        for (var i = 0; i < Degree; i++)
        {
            r[i] = modulus.Subtract(x[i], y[i]);
        }
    }

    public override void Negate(void* result, void* a)
    {
        var r = (ulong*)result;
        var x = (ulong*)a;
        var modulus = Modulus;
        for (var i = 0; i < Degree; i++)
        {
            r[i] = modulus.Negate(x[i]);
        }
    }

    public override void Multiply(void* result, void* a, void* b)
    {
        var r = (ulong*)result;
        var x = (ulong*)a;
        var y = (ulong*)b;
        var modulus = Modulus;
        for (var i = 0; i < Degree; i++)
        {
            r[i] = modulus.Multiply(x[i], y[i]);
        }
    }

    public override void MultiplyAdd(void* result, void* a, void* b)
    {
        var r = (ulong*)result;
        var x = (ulong*)a;
        var y = (ulong*)b;
        var modulus = Modulus;
        for (var i = 0; i < Degree; i++)
        {
            r[i] = modulus.Add(r[i], modulus.Multiply(x[i], y[i]));
        }
    }

    public override void MultiplyCross(void* result, void* a, void* d, void* b, void* c)
    {
        var r = (ulong*)result;
        var modulus = Modulus;
        var w = (ulong*)a;
        var x = (ulong*)b;
        var y = (ulong*)c;
        var z = (ulong*)d;
        for (var i = 0; i < Degree; i++)
        {
            r[i] = modulus.Add(modulus.Multiply(w[i], z[i]), modulus.Multiply(x[i], y[i]));
        }
    }

    public override void MultiplyAddPair(void* result0, void* result1, void* a, void* b0, void* b1, bool first)
    {
        if (first)
        {
            Multiply(result0, a, b0);
            Multiply(result1, a, b1);
        }
        else
        {
            MultiplyAdd(result0, a, b0);
            MultiplyAdd(result1, a, b1);
        }
    }

    public override void SumProductsPair(void* result0, void* result1, void** a, void** b0, void** b1, int count)
    {
        for (var j = 0; j < count; j++)
        {
            MultiplyAddPair(result0, result1, a[j], b0[j], b1[j], j == 0);
        }
    }

    public override void MultiplyScalar(void* result, void* a, ulong scalar)
    {
        var r = (ulong*)result;
        var x = (ulong*)a;
        var q = Modulus.Value;
        var quotient = Quotient(scalar);
        for (var i = 0; i < Degree; i++)
        {
            r[i] = Below(MultiplyLazy(x[i], scalar, quotient, q), q);
        }
    }

    public override void MultiplyScalarAdd(void* result, void* a, ulong scalar)
    {
        var r = (ulong*)result;
        var x = (ulong*)a;
        var modulus = Modulus;
        var quotient = Quotient(scalar);
        for (var i = 0; i < Degree; i++)
        {
            r[i] = modulus.Add(r[i], Below(MultiplyLazy(x[i], scalar, quotient, modulus.Value), modulus.Value));
        }
    }

    public override void AddScalar(void* result, void* a, ulong scalar)
    {
        var r = (ulong*)result;
        var x = (ulong*)a;
        var modulus = Modulus;
        for (var i = 0; i < Degree; i++)
        {
            r[i] = modulus.Add(x[i], scalar);
        }
    }

    public override void SubtractMultiply(void* result, void* a, void* b, ulong scalar)
    {
        var r = (ulong*)result;
        var x = (ulong*)a;
        var y = (ulong*)b;
        var modulus = Modulus;
        var quotient = Quotient(scalar);
        for (var i = 0; i < Degree; i++)
        {
            r[i] = Below(MultiplyLazy(modulus.Subtract(x[i], y[i]), scalar, quotient, modulus.Value), modulus.Value);
        }
    }

    public override void Permute(void* result, void* a, int* map)
    {
        var r = (ulong*)result;
        var x = (ulong*)a;
        for (var i = 0; i < Degree; i++)
        {
            r[i] = x[map[i]];
        }
    }

    public override void PermuteAdd(void* result, void* a, int* map)
    {
        var r = (ulong*)result;
        var x = (ulong*)a;
        var modulus = Modulus;
        for (var i = 0; i < Degree; i++)
        {
            r[i] = modulus.Add(r[i], x[map[i]]);
        }
    }

    public override void Combine(void* result, void** sources, ulong* moduli, ulong* weights, int count, void* multiples, ulong correction)
    {
        var r = (ulong*)result;
        var e = (long*)multiples;
        var modulus = Modulus;
        for (var i = 0; i < Degree; i++)
        {
            var sum = modulus.Multiply(modulus.Reduce(e[i]), correction);
            for (var s = 0; s < count; s++)
            {
                var y = ((ulong*)sources[s])[i];
                sum = modulus.Add(sum, modulus.Multiply(modulus.Reduce(y > moduli[s] >> 1 ? (long)(y - moduli[s]) : (long)y), weights[s]));
            }

            r[i] = sum;
        }
    }

    public override void Multiples(void* result, void** sources, ulong* moduli, int count)
    {
        var e = (long*)result;
        for (var i = 0; i < Degree; i++)
        {
            double sum = 0;
            for (var s = 0; s < count; s++)
            {
                var y = ((ulong*)sources[s])[i];
                sum += (y > moduli[s] >> 1 ? (long)(y - moduli[s]) : (long)y) * (1.0 / moduli[s]);
            }

            e[i] = (long)Math.Round(sum);
        }
    }

    public override void FromNumbers(void* result, double* numbers)
    {
        var r = (ulong*)result;
        var modulus = Modulus;
        for (var i = 0; i < Degree; i++)
        {
            var size = (UInt128)Math.Abs(numbers[i]);
            var residue = modulus.Reduce((ulong)(size >> 64), (ulong)size);
            r[i] = numbers[i] < 0 ? modulus.Negate(residue) : residue;
        }
    }

    public override void FromSigned(void* result, int* numbers)
    {
        var r = (ulong*)result;
        for (var i = 0; i < Degree; i++)
        {
            // Without a branch on the number, which may be a secret.
            r[i] = (ulong)numbers[i] + (Modulus.Value & (ulong)(numbers[i] >> 31));
        }
    }

    public override void FromResidues(void* result, ulong* residues) => Copy(result, residues);

    public override void ToResidues(ulong* result, void* limb) => Copy(result, limb);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Below(ulong value, ulong bound) => value - (bound & ((value < bound ? 1UL : 0) - 1));

    /// <summary>value·w mod q, in [0, 2q), for any 64-bit value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong MultiplyLazy(ulong value, ulong w, ulong quotient, ulong q) => (value * w) - (Math.BigMul(value, quotient, out _) * q);

    /// <summary>floor(2^64·w / q).</summary>
    private ulong Quotient(ulong w) => (ulong)(((UInt128)w << 64) / Modulus.Value);
}
