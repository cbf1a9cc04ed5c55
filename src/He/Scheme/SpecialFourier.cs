namespace ActorTrainer.He.Scheme;

/// <summary>
/// The Fourier transform between n = N/2 complex slots and the coefficients of a real polynomial of degree below N: slot j is the value at
/// ζ^(5^j), ζ = e^(iπ/N) (Cheon, Kim, Kim, Song 2017). Real and imaginary parts are in separate arrays; coefficient k + i·n.
/// </summary>
internal sealed class SpecialFourier
{
    private readonly int _slots;
    private readonly int[] _reversed;
    private readonly double[] _cos;
    private readonly double[] _sin;

    public SpecialFourier(int logDegree, int generator = 5)
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
                power = power * generator % order;
            }
        }
    }

    /// <summary>Slots to coefficients, in place.</summary>
    public void ToCoefficients(Span<double> re, Span<double> im)
    {
        for (var length = _slots; length >= 2; length >>= 1)
        {
            var half = length >> 1;
            var cos = _cos.AsSpan(half, half);
            var sin = _sin.AsSpan(half, half);
            for (var i = 0; i < _slots; i += length)
            {
                var ra = re.Slice(i, half);
                var rb = re.Slice(i + half, half);
                var ia = im.Slice(i, half);
                var ib = im.Slice(i + half, half);
                for (var j = 0; j < half; j++)
                {
                    var (x, y) = (ra[j] - rb[j], ia[j] - ib[j]);
                    ra[j] += rb[j];
                    ia[j] += ib[j];
                    rb[j] = (x * cos[j]) + (y * sin[j]);
                    ib[j] = (y * cos[j]) - (x * sin[j]);
                }
            }
        }

        Reorder(re, im, 1.0 / _slots);
    }

    /// <summary>Coefficients to slots, in place.</summary>
    public void ToSlots(Span<double> re, Span<double> im)
    {
        Reorder(re, im, 1);
        for (var length = 2; length <= _slots; length <<= 1)
        {
            var half = length >> 1;
            var cos = _cos.AsSpan(half, half);
            var sin = _sin.AsSpan(half, half);
            for (var i = 0; i < _slots; i += length)
            {
                var ra = re.Slice(i, half);
                var rb = re.Slice(i + half, half);
                var ia = im.Slice(i, half);
                var ib = im.Slice(i + half, half);
                for (var j = 0; j < half; j++)
                {
                    var (x, y) = ((rb[j] * cos[j]) - (ib[j] * sin[j]), (rb[j] * sin[j]) + (ib[j] * cos[j]));
                    (rb[j], ib[j]) = (ra[j] - x, ia[j] - y);
                    ra[j] += x;
                    ia[j] += y;
                }
            }
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
