using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ActorTrainer.He.Ring;

/// <content>
/// Sums over several limbs: of products, and of base conversion. Operands come from memory, so a page of one is read after a page of the other, and the next one is asked for meanwhile: a processor does not
/// foresee a dozen streams at once, and waits for each of their lines.
/// </content>
public sealed unsafe partial class DoubleKernels
{
    /// <summary>Words of a page.</summary>
    private const int Tile = 512;

    /// <summary>How many words ahead base conversion asks for its sources: half a page, since what a processor foresees ends with a page.</summary>
    private const int Ahead = 256;

    public override void SumProductsPair(void* result0, void* result1, void** a, void** b0, void** b1, int count)
    {
        var f = Field();
        for (var start = 0; start < Degree; start += Tile)
        {
            var length = Math.Min(Tile, Degree - start);
            for (var j = 0; j < count; j++)
            {
                // The last tile has no next one, and asks for what it has.
                var (next, from) = j < count - 1 ? (j + 1, start) : (0, start + Tile < Degree ? start + Tile : start);
                var ahead = new Operands((double*)a[next] + from, (double*)b0[next] + from, (double*)b1[next] + from);
                AddProducts((double*)result0 + start, (double*)result1 + start, new Operands((double*)a[j] + start, (double*)b0[j] + start, (double*)b1[j] + start), ahead, length, j == 0, j == count - 1, f);
            }
        }
    }

    public override void Combine(void* result, void** sources, ulong* moduli, ulong* weights, int count, void* multiples, ulong correction)
    {
        var r = (double*)result;
        var e = (double*)multiples;
        var f = Field();
        var w = stackalloc double[count];
        for (var s = 0; s < count; s++)
        {
            w[s] = Modulus.Centre(weights[s]);
        }

        // Multiples are a few units at most, so their products need no reduction; nor do sums of up to eight products.
        var c = Vector256.Create((double)Modulus.Centre(correction));
        if (count is 4 or 5)
        {
            CombineFew(r, (double**)sources, w, count, e, c, f);
            return;
        }

        for (var i = 0; i < Degree; i += 4)
        {
            var sum = Vector256.Load(e + i) * c;
            for (var s = 0; s < count; s++)
            {
                var term = f.Multiply(Vector256.Load((double*)sources[s] + i), Vector256.Create(w[s]));
                sum = (s & 7) == 7 ? f.Reduce(sum + term) : sum + term;
            }

            f.Reduce(sum).Store(r + i);
        }
    }

    public override void Multiples(void* result, void** sources, ulong* moduli, int count)
    {
        var e = (double*)result;
        var inverses = stackalloc double[count];
        for (var s = 0; s < count; s++)
        {
            inverses[s] = 1.0 / moduli[s];
        }

        for (var i = 0; i < Degree; i += 4)
        {
            var sum = Vector256<double>.Zero;
            for (var s = 0; s < count; s++)
            {
                sum = Fma.MultiplyAdd(Vector256.Load((double*)sources[s] + i), Vector256.Create(inverses[s]), sum);
            }

            Avx.RoundToNearestInteger(sum).Store(e + i);
        }
    }

    /// <summary>Products of one term, a line at a time, which begin the sums, grow them, or grow them and end them reduced.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddProducts(double* sum0, double* sum1, Operands now, Operands next, int length, bool first, bool last, FieldVectors f)
    {
        for (var i = 0; i < length; i += 8)
        {
            Sse.Prefetch0(next.Left + i);
            Sse.Prefetch0(next.Right0 + i);
            Sse.Prefetch0(next.Right1 + i);
            var (left, more) = (Vector256.Load(now.Left + i), Vector256.Load(now.Left + i + 4));
            var (x0, x1) = (f.Multiply(left, Vector256.Load(now.Right0 + i)), f.Multiply(left, Vector256.Load(now.Right1 + i)));
            var (y0, y1) = (f.Multiply(more, Vector256.Load(now.Right0 + i + 4)), f.Multiply(more, Vector256.Load(now.Right1 + i + 4)));
            if (!first)
            {
                // Products are within 0.8·q, so sums of many stay far below what reduction takes.
                x0 += Vector256.Load(sum0 + i);
                x1 += Vector256.Load(sum1 + i);
                y0 += Vector256.Load(sum0 + i + 4);
                y1 += Vector256.Load(sum1 + i + 4);
            }

            if (last)
            {
                (x0, x1, y0, y1) = (f.Reduce(x0), f.Reduce(x1), f.Reduce(y0), f.Reduce(y1));
            }

            x0.Store(sum0 + i);
            x1.Store(sum1 + i);
            y0.Store(sum0 + i + 4);
            y1.Store(sum1 + i + 4);
        }
    }

    /// <summary>As <see cref="Combine"/> for four sources or five, a line at a time: all that bootstrapping and most key switches have.</summary>
    private void CombineFew(double* r, double** sources, double* w, int count, double* e, Vector256<double> c, FieldVectors f)
    {
        var fifth = count == 5;
        var s0 = sources[0];
        var s1 = sources[1];
        var s2 = sources[2];
        var s3 = sources[3];
        var s4 = sources[count - 1];
        var (w0, w1, w2, w3) = (Vector256.Create(w[0]), Vector256.Create(w[1]), Vector256.Create(w[2]), Vector256.Create(w[3]));
        var w4 = Vector256.Create(w[count - 1]);
        for (var i = 0; i < Degree; i += 8)
        {
            Sse.Prefetch0(s0 + i + Ahead);
            Sse.Prefetch0(s1 + i + Ahead);
            Sse.Prefetch0(s2 + i + Ahead);
            Sse.Prefetch0(s3 + i + Ahead);
            Sse.Prefetch0(e + i + Ahead);
            var low = SumOfFour(e, c, s0, s1, s2, s3, w0, w1, w2, w3, i, f);
            var high = SumOfFour(e, c, s0, s1, s2, s3, w0, w1, w2, w3, i + 4, f);
            if (fifth)
            {
                Sse.Prefetch0(s4 + i + Ahead);
                low += f.Multiply(Vector256.Load(s4 + i), w4);
                high += f.Multiply(Vector256.Load(s4 + i + 4), w4);
            }

            f.Reduce(low).Store(r + i);
            f.Reduce(high).Store(r + i + 4);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> SumOfFour(
        double* e, Vector256<double> c, double* s0, double* s1, double* s2, double* s3, Vector256<double> w0, Vector256<double> w1, Vector256<double> w2, Vector256<double> w3, int i, FieldVectors f) =>
        (Vector256.Load(e + i) * c) + f.Multiply(Vector256.Load(s0 + i), w0) + f.Multiply(Vector256.Load(s1 + i), w1)
            + (f.Multiply(Vector256.Load(s2 + i), w2) + f.Multiply(Vector256.Load(s3 + i), w3));

    /// <summary>A tile of one term.</summary>
    private readonly struct Operands(double* left, double* right0, double* right1)
    {
        public readonly double* Left = left;
        public readonly double* Right0 = right0;
        public readonly double* Right1 = right1;
    }
}
