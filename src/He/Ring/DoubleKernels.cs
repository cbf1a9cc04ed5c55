using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ActorTrainer.He.Ring;

/// <summary>
/// Words are doubles that hold whole numbers congruent to the residue and at most 0.8·q in size, q below 2^49. A product is exact:
/// h = a·b rounded, l = a·b − h exactly by FMA, quotient = round(h/q), result = (h − quotient·q) + l, every step without error.
/// Transformed limbs are kept transposed within blocks of 16 words, as the last pass leaves them.
/// </summary>
public sealed unsafe partial class DoubleKernels : LimbKernels, IDisposable
{
    /// <summary>Primes are below 2^49.</summary>
    public const ulong Bound = 1UL << 49;

    // Adding and subtracting 1.5·2^52 rounds to the nearest whole number while the number is below 2^51.
    private const double Magic = 6755399441055744.0;
    private const double TwoTo52 = 4503599627370496.0;

    private readonly double _prime;
    private readonly double _inverse;
    private double* _tables;

    public DoubleKernels(Modulus modulus, int logDegree)
        : base(modulus, logDegree)
    {
        if (modulus.Value >= Bound || logDegree < 4)
        {
            throw new ArgumentException($"Double kernels need a prime below 2^49 and a degree of at least 16; found {modulus} and {Degree}.");
        }

        (_prime, _inverse) = (modulus.Value, 1.0 / modulus.Value);
        BuildTables();
    }

    ~DoubleKernels() => Free();

    public override int PlaceOf(int bitReversedIndex) =>
        (bitReversedIndex & ~15) | ((bitReversedIndex & 3) << 2) | ((bitReversedIndex >> 2) & 3);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    public override void Add(void* result, void* a, void* b)
    {
        var r = (double*)result;
        var x = (double*)a;
        var y = (double*)b;
        var f = Field();
        for (var i = 0; i < Degree; i += 4)
        {
            f.Reduce(Vector256.Load(x + i) + Vector256.Load(y + i)).Store(r + i);
        }
    }

    public override void Subtract(void* result, void* a, void* b)
    {
        var r = (double*)result;
        var x = (double*)a;
        var y = (double*)b;
        var f = Field();
        for (var i = 0; i < Degree; i += 4)
        {
            f.Reduce(Vector256.Load(x + i) - Vector256.Load(y + i)).Store(r + i);
        }
    }

    public override void Negate(void* result, void* a)
    {
        var r = (double*)result;
        var x = (double*)a;
        for (var i = 0; i < Degree; i += 4)
        {
            (Vector256<double>.Zero - Vector256.Load(x + i)).Store(r + i);
        }
    }

    public override void Multiply(void* result, void* a, void* b)
    {
        var r = (double*)result;
        var x = (double*)a;
        var y = (double*)b;
        var f = Field();
        for (var i = 0; i < Degree; i += 4)
        {
            f.Multiply(Vector256.Load(x + i), Vector256.Load(y + i)).Store(r + i);
        }
    }

    public override void MultiplyAdd(void* result, void* a, void* b)
    {
        var r = (double*)result;
        var x = (double*)a;
        var y = (double*)b;
        var f = Field();
        for (var i = 0; i < Degree; i += 4)
        {
            f.Reduce(Vector256.Load(r + i) + f.Multiply(Vector256.Load(x + i), Vector256.Load(y + i))).Store(r + i);
        }
    }

    public override void MultiplyCross(void* result, void* a, void* d, void* b, void* c)
    {
        var r = (double*)result;
        var f = Field();
        var w = (double*)a;
        var x = (double*)b;
        var y = (double*)c;
        var z = (double*)d;
        for (var i = 0; i < Degree; i += 4)
        {
            f.Reduce(f.Multiply(Vector256.Load(w + i), Vector256.Load(z + i)) + f.Multiply(Vector256.Load(x + i), Vector256.Load(y + i))).Store(r + i);
        }
    }

    public override void MultiplyAddPair(void* result0, void* result1, void* a, void* b0, void* b1, bool first)
    {
        var r0 = (double*)result0;
        var r1 = (double*)result1;
        var f = Field();
        var x = (double*)a;
        var y0 = (double*)b0;
        var y1 = (double*)b1;
        if (first)
        {
            for (var i = 0; i < Degree; i += 4)
            {
                var value = Vector256.Load(x + i);
                f.Multiply(value, Vector256.Load(y0 + i)).Store(r0 + i);
                f.Multiply(value, Vector256.Load(y1 + i)).Store(r1 + i);
            }

            return;
        }

        for (var i = 0; i < Degree; i += 4)
        {
            var value = Vector256.Load(x + i);
            f.Reduce(Vector256.Load(r0 + i) + f.Multiply(value, Vector256.Load(y0 + i))).Store(r0 + i);
            f.Reduce(Vector256.Load(r1 + i) + f.Multiply(value, Vector256.Load(y1 + i))).Store(r1 + i);
        }
    }

    public override void MultiplyScalar(void* result, void* a, ulong scalar)
    {
        var r = (double*)result;
        var x = (double*)a;
        var f = Field();
        var w = Vector256.Create((double)Modulus.Centre(scalar));
        for (var i = 0; i < Degree; i += 4)
        {
            f.Multiply(Vector256.Load(x + i), w).Store(r + i);
        }
    }

    public override void MultiplyScalarAdd(void* result, void* a, ulong scalar)
    {
        var r = (double*)result;
        var x = (double*)a;
        var f = Field();
        var w = Vector256.Create((double)Modulus.Centre(scalar));
        for (var i = 0; i < Degree; i += 4)
        {
            f.Reduce(Vector256.Load(r + i) + f.Multiply(Vector256.Load(x + i), w)).Store(r + i);
        }
    }

    public override void AddScalar(void* result, void* a, ulong scalar)
    {
        var r = (double*)result;
        var x = (double*)a;
        var f = Field();
        var w = Vector256.Create((double)Modulus.Centre(scalar));
        for (var i = 0; i < Degree; i += 4)
        {
            f.Reduce(Vector256.Load(x + i) + w).Store(r + i);
        }
    }

    public override void SubtractMultiply(void* result, void* a, void* b, ulong scalar)
    {
        var r = (double*)result;
        var x = (double*)a;
        var y = (double*)b;
        var (f, w) = (Field(), Vector256.Create((double)Modulus.Centre(scalar)));
        for (var i = 0; i < Degree; i += 4)
        {
            f.Multiply(Vector256.Load(x + i) - Vector256.Load(y + i), w).Store(r + i);
        }
    }

    public override void Permute(void* result, void* a, int* map)
    {
        var r = (double*)result;
        var x = (double*)a;
        for (var i = 0; i < Degree; i += 4)
        {
            Avx2.GatherVector256(x, Vector128.Load(map + i), 8).Store(r + i);
        }
    }

    public override void PermuteAdd(void* result, void* a, int* map)
    {
        var r = (double*)result;
        var x = (double*)a;
        var f = Field();
        for (var i = 0; i < Degree; i += 4)
        {
            f.Reduce(Vector256.Load(r + i) + Avx2.GatherVector256(x, Vector128.Load(map + i), 8)).Store(r + i);
        }
    }

    public override void FromNumbers(void* result, double* numbers)
    {
        var r = (double*)result;
        var f = Field();
        for (var i = 0; i < Degree; i += 4)
        {
            // Numbers may be much larger than q, where the quotient is beyond what the magic constant rounds.
            var x = Vector256.Load(numbers + i);
            x = Fma.MultiplyAddNegated(Avx.RoundToNearestInteger(x * f.Inverse), f.Prime, x);
            f.Reduce(x).Store(r + i);
        }
    }

    public override void FromSigned(void* result, int* numbers)
    {
        var r = (double*)result;
        for (var i = 0; i < Degree; i += 4)
        {
            Avx.ConvertToVector256Double(Vector128.Load(numbers + i)).Store(r + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void FromResidues(void* result, ulong* residues)
    {
        var r = (double*)result;
        var two52 = Vector256.Create(TwoTo52);
        var (prime, half) = (Vector256.Create(_prime), Vector256.Create((double)(Modulus.Value >> 1)));
        for (var i = 0; i < Degree; i += 4)
        {
            // A whole number below 2^52 in the mantissa of 2^52 is that number more. No branch on the value.
            var value = (Vector256.Load(residues + i) | two52.AsUInt64()).AsDouble() - two52;
            (value - (Vector256.GreaterThan(value, half) & prime)).Store(r + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void ToResidues(ulong* result, void* limb)
    {
        var x = (double*)limb;
        var magic = Vector256.Create(Magic);
        var prime = Vector256.Create((long)Modulus.Value);
        for (var i = 0; i < Degree; i += 4)
        {
            // At most 0.8·q in size, so one addition makes a negative number a residue. No branch on the value.
            var value = (Vector256.Load(x + i) + magic).AsInt64() - magic.AsInt64();
            (value + (Vector256.LessThan(value, Vector256<long>.Zero) & prime)).AsUInt64().Store(result + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private FieldVectors Field() => new(_prime, _inverse);

    private void Free()
    {
        NativeMemory.AlignedFree(_tables);
        _tables = null;
    }

    /// <summary>The constants of one prime in registers.</summary>
    private readonly struct FieldVectors(double prime, double inverse)
    {
        public readonly Vector256<double> Prime = Vector256.Create(prime);
        public readonly Vector256<double> Inverse = Vector256.Create(inverse);
        private readonly Vector256<double> _magic = Vector256.Create(Magic);

        /// <summary>Within q/2, and a little more by rounding, of numbers below 2^51·q; exact.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<double> Reduce(Vector256<double> x) =>
            Fma.MultiplyAddNegated(Fma.MultiplyAdd(x, Inverse, _magic) - _magic, Prime, x);

        /// <summary>a·b mod q within 0.8·q while |a·b| is below 3.3·q²/2.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<double> Multiply(Vector256<double> a, Vector256<double> b)
        {
            var high = a * b;
            var low = Fma.MultiplySubtract(a, b, high);
            var quotient = Fma.MultiplyAdd(high, Inverse, _magic) - _magic;
            return Fma.MultiplyAddNegated(quotient, Prime, high) + low;
        }

        /// <summary>The same by b/q, which does not wait for the product: within as much, since that has two roundings too.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<double> Multiply(Vector256<double> a, Vector256<double> b, Vector256<double> bOverPrime)
        {
            var quotient = Fma.MultiplyAdd(a, bOverPrime, _magic) - _magic;
            var high = a * b;
            var low = Fma.MultiplySubtract(a, b, high);
            return Fma.MultiplyAddNegated(quotient, Prime, high) + low;
        }
    }
}
