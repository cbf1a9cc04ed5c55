using System.Numerics;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// The Fourier transform between n = N/2 complex slots and the coefficients of a real polynomial of degree below N: slot j is the value at
/// ζ^(5^j), ζ = e^(iπ/N) (Cheon, Kim, Kim, Song 2017). Real and imaginary parts are in separate arrays; coefficient k + i·n.
/// </summary>
internal sealed unsafe class SpecialFourier
{
    private readonly int _slots;
    private readonly int[] _reversed;
    private readonly double[] _cos;
    private readonly double[] _sin;

    public SpecialFourier(int logDegree)
    {
        _slots = 1 << (logDegree - 1);
        _reversed = [.. Enumerable.Range(0, _slots).Select(i => Ring.NttRoots.Reverse(i, logDegree - 1))];
        // Stage of length l begins at l/2 − 1 … kept one after the other so that inner loops read straight on.
        (_cos, _sin) = (new double[_slots], new double[_slots]);
        for (var length = 2; length <= _slots; length <<= 1)
        {
            long power = 1;
            var order = 4L * length;
            for (var j = 0; j < length / 2; j++)
            {
                (_sin[(length / 2) + j], _cos[(length / 2) + j]) = Math.SinCos(2 * Math.PI * power / order);
                power = power * 5 % order;
            }
        }
    }

    /// <summary>Slots to coefficients, in place.</summary>
    public void ToCoefficients(Span<double> re, Span<double> im)
    {
        fixed (double* pr = re, pi = im, pc = _cos, ps = _sin)
        {
            for (var half = _slots >> 1; half >= 1; half >>= 1)
            {
                for (var i = 0; i < _slots; i += 2 * half)
                {
                    Split(pr + i, pi + i, pc + half, ps + half, half);
                }
            }
        }

        Reorder(re, im, 1.0 / _slots);
    }

    /// <summary>Coefficients to slots, in place.</summary>
    public void ToSlots(Span<double> re, Span<double> im)
    {
        Reorder(re, im, 1);
        fixed (double* pr = re, pi = im, pc = _cos, ps = _sin)
        {
            for (var half = 1; half < _slots; half <<= 1)
            {
                for (var i = 0; i < _slots; i += 2 * half)
                {
                    Join(pr + i, pi + i, pc + half, ps + half, half);
                }
            }
        }
    }

    /// <summary>(a, b) to (a + b, (a − b)·w̄) for two neighbouring runs of <paramref name="half"/> numbers.</summary>
    private static void Split(double* re, double* im, double* cos, double* sin, int half)
    {
        var j = 0;
        for (; j + Vector<double>.Count <= half; j += Vector<double>.Count)
        {
            var (ra, rb, ia, ib) = (Vector.Load(re + j), Vector.Load(re + half + j), Vector.Load(im + j), Vector.Load(im + half + j));
            var (x, y, c, s) = (ra - rb, ia - ib, Vector.Load(cos + j), Vector.Load(sin + j));
            Vector.Store(ra + rb, re + j);
            Vector.Store(ia + ib, im + j);
            Vector.Store((x * c) + (y * s), re + half + j);
            Vector.Store((y * c) - (x * s), im + half + j);
        }

        for (; j < half; j++)
        {
            var (x, y) = (re[j] - re[half + j], im[j] - im[half + j]);
            re[j] += re[half + j];
            im[j] += im[half + j];
            re[half + j] = (x * cos[j]) + (y * sin[j]);
            im[half + j] = (y * cos[j]) - (x * sin[j]);
        }
    }

    /// <summary>(a, b) to (a + b·w, a − b·w).</summary>
    private static void Join(double* re, double* im, double* cos, double* sin, int half)
    {
        var j = 0;
        for (; j + Vector<double>.Count <= half; j += Vector<double>.Count)
        {
            var (ra, rb, ia, ib) = (Vector.Load(re + j), Vector.Load(re + half + j), Vector.Load(im + j), Vector.Load(im + half + j));
            var (c, s) = (Vector.Load(cos + j), Vector.Load(sin + j));
            var (x, y) = ((rb * c) - (ib * s), (rb * s) + (ib * c));
            Vector.Store(ra + x, re + j);
            Vector.Store(ia + y, im + j);
            Vector.Store(ra - x, re + half + j);
            Vector.Store(ia - y, im + half + j);
        }

        for (; j < half; j++)
        {
            var (x, y) = ((re[half + j] * cos[j]) - (im[half + j] * sin[j]), (re[half + j] * sin[j]) + (im[half + j] * cos[j]));
            (re[half + j], im[half + j]) = (re[j] - x, im[j] - y);
            re[j] += x;
            im[j] += y;
        }
    }

    private void Reorder(Span<double> re, Span<double> im, double factor)
    {
        for (var i = 0; i < _slots; i++)
        {
            var j = _reversed[i];
            if (i < j)
            {
                (re[i], re[j]) = (re[j], re[i]);
                (im[i], im[j]) = (im[j], im[i]);
            }

            re[i] *= factor;
            im[i] *= factor;
        }
    }
}
