using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// All limbs of an encoded diagonal, kept. Where p of n slots repeat, the polynomial is one in X^(n/p), whose values at the odd powers of ψ are the same over runs of n/p places of the bit-reversed order: then
/// one word of each run is kept, and a limb is written out when it is used. Of the matrices between slots and coefficients all but the first repeat so.
/// </summary>
internal sealed unsafe class DiagonalLimbs : IDisposable
{
    /// <summary>Kernels keep words in their own order within so many places; over shorter runs they differ.</summary>
    private const int ShortestRun = 16;

    private readonly Polynomial _words;
    private readonly int _run;
    private readonly int _each;

    /// <param name="period">Values of the diagonal, a power of two, which repeat to fill the slots.</param>
    public DiagonalLimbs(RingContext ring, int level, bool special, int period)
    {
        var limbs = level + 1 + (special ? ring.SpecialLength : 0);
        _run = RunOf(ring.Degree, period);
        _each = ring.Degree / _run;
        _words = _run > 1 ? ring.NewPolynomial(Kept(ring.Degree, limbs, period)) : ring.NewPolynomial(level + 1, special);
    }

    /// <summary>Native memory, in bytes.</summary>
    public long Bytes => (long)_words.Limbs * _words.StrideBytes;

    /// <summary>As many limbs' memory as those of a diagonal take.</summary>
    public static int Kept(int degree, int limbs, int period)
    {
        var run = RunOf(degree, period);
        return (limbs + run - 1) / run;
    }

    /// <summary>A limb: where it is kept, or written out into <paramref name="scratch"/>.</summary>
    public void* Read(int t, void* scratch)
    {
        if (_run == 1)
        {
            return _words[t];
        }

        var words = Place(t);
        var limb = (double*)scratch;
        for (var i = 0; i < _each; i++, limb += _run)
        {
            new Span<double>(limb, _run).Fill(words[i]);
        }

        return scratch;
    }

    /// <summary>Where to make a limb before it is kept by <see cref="Write"/>.</summary>
    public void* Target(int t, void* scratch) => _run == 1 ? _words[t] : scratch;

    /// <summary>Keeps a limb that was made at <see cref="Target"/>.</summary>
    public void Write(int t, void* limb)
    {
        if (_run == 1)
        {
            return;
        }

        var words = Place(t);
        for (var i = 0; i < _each; i++)
        {
            words[i] = ((double*)limb)[(long)i * _run];
        }
    }

    public void Dispose() => _words.Dispose();

    private static int RunOf(int degree, int period) => degree / (2 * period) is var run && run >= ShortestRun ? run : 1;

    /// <summary>As many diagonals' limbs in one of the pool's as runs are long.</summary>
    private double* Place(int t) => (double*)_words[t / _run] + ((long)(t % _run) * _each);
}
