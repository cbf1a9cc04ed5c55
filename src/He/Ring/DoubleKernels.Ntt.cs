using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ActorTrainer.He.Ring;

/// <content>
/// Transforms: radix-4 passes (a radix-2 pass first where log N is odd), over the whole limb until a block of 4096 words fits the
/// first-level cache, then block by block. The last two stages work on four groups of four words at once, transposed in registers;
/// their result is stored transposed and the inverse starts from there, so that each direction transposes once.
/// Bounds: x₀ of a radix-4 step is reduced, products are within 0.8·q, so values stay within 2.2·q; see <see cref="FieldVectors"/>.
/// </content>
public sealed unsafe partial class DoubleKernels
{
    private const int Block = 4096;
    private const int Small = 64;

    private double* _forwardTail;
    private double* _inverseRoots;
    private double* _inverseTail;
    private ulong _inverseDegree;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Forward(void* limb)
    {
        var x = (double*)limb;
        var w = _tables;
        var f = Field();
        int groups = 1, length = Degree;
        if ((LogDegree & 1) != 0)
        {
            ForwardTwo(x, length >> 1, w[1], f);
            (groups, length) = (2, length >> 1);
        }

        for (; length > Block; groups <<= 2, length >>= 2)
        {
            for (var g = 0; g < groups; g++)
            {
                ForwardFour(x + ((long)g * length), length >> 2, w[groups + g], w[(groups + g) << 1], w[((groups + g) << 1) + 1], f);
            }
        }

        for (var b = 0; b < groups; b++)
        {
            var block = x + ((long)b * length);
            ForwardBlock(block, length, groups + b, f);
            ForwardLast(block, length, _forwardTail + ((long)b * length / 16 * 12), f);
        }

        GC.KeepAlive(this);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Inverse(void* result, void* limb, ulong factor)
    {
        var x = (double*)result;
        var w = _inverseRoots;
        var f = Field();
        var odd = (LogDegree & 1) != 0;
        // Groups of the forward transform when it began to go block by block.
        int groups = odd ? 2 : 1, length = Degree / groups;
        for (; length > Block; groups <<= 2, length >>= 2)
        {
        }

        var scaled = Modulus.Multiply(_inverseDegree, factor);
        for (var b = 0; b < groups; b++)
        {
            var block = x + ((long)b * length);
            InverseFirst(block, (double*)limb + ((long)b * length), length, _inverseTail + ((long)b * length / 16 * 12), f);
            for (int inner = length >> 4, part = 16; inner > 0; inner >>= 2, part <<= 2)
            {
                var first = (groups + b) * inner;
                for (var g = 0; g < inner; g++)
                {
                    InverseFourOrLast(block + ((long)g * part), part, w, first + g, scaled, f);
                }
            }
        }

        for (groups >>= 2, length <<= 2; groups > 0 && length <= Degree; groups >>= 2, length <<= 2)
        {
            for (var g = 0; g < groups; g++)
            {
                InverseFourOrLast(x + ((long)g * length), length, w, groups + g, scaled, f);
            }
        }

        if (odd)
        {
            InverseTwo(x, Degree >> 1, Centred(scaled), Centred(Modulus.Multiply(scaled, Residue(w[1]))), f);
        }

        GC.KeepAlive(this);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void InverseFourOrLast(double* x, int length, double* w, int index, ulong scaled, FieldVectors f)
    {
        if (length == Degree)
        {
            InverseFourScaled(x, length >> 2, Centred(Modulus.Multiply(scaled, Residue(w[1]))), w[2], w[3], Centred(scaled), f);
        }
        else
        {
            InverseFour(x, length >> 2, w[index], w[index << 1], w[(index << 1) + 1], f);
        }
    }

    /// <summary>The steps of a block but the last: quarter by quarter, so that small blocks are done with while they are near, then level by level.</summary>
    private void ForwardBlock(double* x, int length, int group, FieldVectors f)
    {
        var w = _tables;
        if (length > Small)
        {
            ForwardFour(x, length >> 2, w[group], w[group << 1], w[(group << 1) + 1], f);
            for (var quarter = 0; quarter < 4; quarter++)
            {
                ForwardBlock(x + (quarter * (length >> 2)), length >> 2, (4 * group) + quarter, f);
            }

            return;
        }

        for (int inner = 1, part = length; part > 4; inner <<= 2, part >>= 2)
        {
            var first = group * inner;
            for (var g = 0; g < inner; g++)
            {
                ForwardFour(x + ((long)g * part), part >> 2, w[first + g], w[(first + g) << 1], w[((first + g) << 1) + 1], f);
            }
        }
    }

    private static void ForwardTwo(double* x, int half, double root, FieldVectors f)
    {
        var w = Vector256.Create(root);
        for (var i = 0; i < half; i += 4)
        {
            var a = Vector256.Load(x + i);
            var b = f.Multiply(Vector256.Load(x + half + i), w);
            (a + b).Store(x + i);
            (a - b).Store(x + half + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ForwardFour(double* x, int quarter, double root1, double root2, double root3, FieldVectors f)
    {
        var inverse = f.Inverse.ToScalar();
        var (w1, w2, w3) = (Vector256.Create(root1), Vector256.Create(root2), Vector256.Create(root3));
        var (v1, v2, v3) = (Vector256.Create(root1 * inverse), Vector256.Create(root2 * inverse), Vector256.Create(root3 * inverse));
        var y1 = x + quarter;
        var y2 = x + (2L * quarter);
        var y3 = x + (3L * quarter);
        for (var i = 0; i < quarter; i += 4)
        {
            var a = f.Reduce(Vector256.Load(x + i));
            var b = Vector256.Load(y1 + i);
            var c = f.Multiply(Vector256.Load(y2 + i), w1, v1);
            var d = f.Multiply(Vector256.Load(y3 + i), w1, v1);
            var (sum, difference) = (f.Multiply(b + d, w2, v2), f.Multiply(b - d, w3, v3));
            var (even, odd) = (a + c, a - c);
            (even + sum).Store(x + i);
            (even - sum).Store(y1 + i);
            (odd + difference).Store(y2 + i);
            (odd - difference).Store(y3 + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ForwardLast(double* x, int length, double* w, FieldVectors f)
    {
        for (var end = x + length; x < end; x += 16, w += 12)
        {
            var (a, b, c, d) = (Vector256.Load(x), Vector256.Load(x + 4), Vector256.Load(x + 8), Vector256.Load(x + 12));
            Transpose(ref a, ref b, ref c, ref d);
            a = f.Reduce(a);
            var (w1, w2, w3) = (Vector256.Load(w), Vector256.Load(w + 4), Vector256.Load(w + 8));
            var v1 = w1 * f.Inverse;
            (c, d) = (f.Multiply(c, w1, v1), f.Multiply(d, w1, v1));
            var (sum, difference) = (f.Multiply(b + d, w2, w2 * f.Inverse), f.Multiply(b - d, w3, w3 * f.Inverse));
            var (even, odd) = (a + c, a - c);
            f.Reduce(even + sum).Store(x);
            f.Reduce(even - sum).Store(x + 4);
            f.Reduce(odd + difference).Store(x + 8);
            f.Reduce(odd - difference).Store(x + 12);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void InverseFirst(double* x, double* from, int length, double* w, FieldVectors f)
    {
        for (var end = x + length; x < end; x += 16, from += 16, w += 12)
        {
            var (a, b, c, d) = (Vector256.Load(from), Vector256.Load(from + 4), Vector256.Load(from + 8), Vector256.Load(from + 12));
            var w1 = Vector256.Load(w);
            var (sum0, sum1) = (a + b, c + d);
            var (difference0, difference1) = (f.Multiply(a - b, Vector256.Load(w + 4)), f.Multiply(c - d, Vector256.Load(w + 8)));
            a = f.Reduce(sum0 + sum1);
            b = f.Reduce(difference0 + difference1);
            c = f.Multiply(sum0 - sum1, w1);
            d = f.Multiply(difference0 - difference1, w1);
            Transpose(ref a, ref b, ref c, ref d);
            a.Store(x);
            b.Store(x + 4);
            c.Store(x + 8);
            d.Store(x + 12);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void InverseFour(double* x, int quarter, double root1, double root2, double root3, FieldVectors f)
    {
        var (w1, w2, w3) = (Vector256.Create(root1), Vector256.Create(root2), Vector256.Create(root3));
        var y1 = x + quarter;
        var y2 = x + (2L * quarter);
        var y3 = x + (3L * quarter);
        for (var i = 0; i < quarter; i += 4)
        {
            var (a, b, c, d) = (Vector256.Load(x + i), Vector256.Load(y1 + i), Vector256.Load(y2 + i), Vector256.Load(y3 + i));
            var (sum0, sum1) = (a + b, c + d);
            var (difference0, difference1) = (f.Multiply(a - b, w2), f.Multiply(c - d, w3));
            f.Reduce(sum0 + sum1).Store(x + i);
            f.Reduce(difference0 + difference1).Store(y1 + i);
            f.Multiply(sum0 - sum1, w1).Store(y2 + i);
            f.Multiply(difference0 - difference1, w1).Store(y3 + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void InverseFourScaled(double* x, int quarter, double root1, double root2, double root3, double factor, FieldVectors f)
    {
        var (w1, w2, w3, scale) = (Vector256.Create(root1), Vector256.Create(root2), Vector256.Create(root3), Vector256.Create(factor));
        var y1 = x + quarter;
        var y2 = x + (2L * quarter);
        var y3 = x + (3L * quarter);
        for (var i = 0; i < quarter; i += 4)
        {
            var (a, b, c, d) = (Vector256.Load(x + i), Vector256.Load(y1 + i), Vector256.Load(y2 + i), Vector256.Load(y3 + i));
            var (sum0, sum1) = (a + b, c + d);
            var (difference0, difference1) = (f.Multiply(a - b, w2), f.Multiply(c - d, w3));
            f.Multiply(sum0 + sum1, scale).Store(x + i);
            f.Multiply(difference0 + difference1, scale).Store(y1 + i);
            f.Multiply(sum0 - sum1, w1).Store(y2 + i);
            f.Multiply(difference0 - difference1, w1).Store(y3 + i);
        }
    }

    private static void InverseTwo(double* x, int half, double factor, double root, FieldVectors f)
    {
        var (scale, w) = (Vector256.Create(factor), Vector256.Create(root));
        for (var i = 0; i < half; i += 4)
        {
            var (a, b) = (Vector256.Load(x + i), Vector256.Load(x + half + i));
            f.Multiply(a + b, scale).Store(x + i);
            f.Multiply(a - b, w).Store(x + half + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(ref Vector256<double> a, ref Vector256<double> b, ref Vector256<double> c, ref Vector256<double> d)
    {
        var (ab0, ab1) = (Avx.UnpackLow(a, b), Avx.UnpackHigh(a, b));
        var (cd0, cd1) = (Avx.UnpackLow(c, d), Avx.UnpackHigh(c, d));
        a = Avx.Permute2x128(ab0, cd0, 0x20);
        b = Avx.Permute2x128(ab1, cd1, 0x20);
        c = Avx.Permute2x128(ab0, cd0, 0x31);
        d = Avx.Permute2x128(ab1, cd1, 0x31);
    }

    private double Centred(ulong residue) => Modulus.Centre(residue);

    private ulong Residue(double centred) => Modulus.Reduce((long)centred);

    private void BuildTables()
    {
        var roots = new NttRoots(Modulus, LogDegree);
        _inverseDegree = roots.InverseDegree;
        var (head, tail) = (Math.Max(Degree / 2, 4), Degree / 16 * 12);
        _tables = (double*)NativeMemory.AlignedAlloc((nuint)(2 * (head + tail) * sizeof(double)), 64);
        _forwardTail = _tables + head;
        _inverseRoots = _forwardTail + tail;
        _inverseTail = _inverseRoots + head;
        Fill(roots.Forward, _tables, head, _forwardTail);
        Fill(roots.Inverse, _inverseRoots, head, _inverseTail);
    }

    /// <summary>Roots of the early stages as they are; those of the last two, for four groups at a time: first stage, then the two halves of the second.</summary>
    private void Fill(ulong[] roots, double* head, int count, double* tail)
    {
        for (var i = 0; i < count; i++)
        {
            head[i] = Centred(roots[i]);
        }

        for (var block = 0; block < Degree / 16; block++)
        {
            for (var lane = 0; lane < 4; lane++)
            {
                var group = (Degree / 4) + (4 * block) + lane;
                tail[(12 * block) + lane] = Centred(roots[group]);
                tail[(12 * block) + 4 + lane] = Centred(roots[2 * group]);
                tail[(12 * block) + 8 + lane] = Centred(roots[(2 * group) + 1]);
            }
        }
    }
}
