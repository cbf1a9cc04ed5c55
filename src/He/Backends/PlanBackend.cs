using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Backends;

/// <summary>
/// Computes nothing: a program run on it leaves its ledger, levels and noise estimates, in no time. It keeps account of the memory that its ciphertexts
/// would hold until they are disposed.
/// </summary>
public sealed class PlanBackend(CkksParameters parameters) : IBackend
{
    private readonly Lock _gate = new();
    private readonly HashSet<(PlainVector Values, int Rotation, int Level, Scale Scale, bool Special)> _diagonals = [];
    private long _limbs;

    public CkksParameters Parameters { get; } = parameters;

    /// <summary>The most limbs that were alive at once.</summary>
    public long PeakLimbs { get; private set; }

    /// <summary>Limbs that are alive.</summary>
    public long Limbs
    {
        get
        {
            lock (_gate)
            {
                return _limbs;
            }
        }
    }

    /// <summary>
    /// Limbs that the diagonals of all transforms so far would take, each once: those with weights, and those of zeros and ones, which all units have in common. For each diagonal one limb of
    /// coefficients, and all limbs of each level that it was used at, as <see cref="DiagonalCache"/> keeps them.
    /// </summary>
    public (long Weights, long Masks) DiagonalLimbs
    {
        get
        {
            lock (_gate)
            {
                return (Sum(_diagonals.Where(d => d.Values.Run > 1)), Sum(_diagonals.Where(d => d.Values.Run == 1)));
            }

            long Sum(IEnumerable<(PlainVector Values, int Rotation, int Level, Scale Scale, bool Special)> diagonals) =>
                diagonals.GroupBy(d => (d.Values, d.Rotation)).Sum(group => 1L + group.Sum(d => Scheme.DiagonalLimbs.Kept(Parameters.Degree, d.Level + 1 + (d.Special ? Parameters.Special.Count : 0), d.Values.Values.Count)));
        }
    }

    /// <summary>Forgets the peak: it is counted from what is alive now.</summary>
    public void ForgetPeak()
    {
        lock (_gate)
        {
            PeakLimbs = _limbs;
        }
    }

    /// <summary>A simulated fresh ciphertext at its level's canonical scale.</summary>
    /// <param name="magnitude">A bound on its slots.</param>
    public Ciphertext Encrypt(int level, double magnitude = 1) =>
        new(New(2, level), Parameters, level, Parameters.ScaleAt(level), NoiseModel.Public(Parameters), magnitude);

    public IPayload Add(IPayload a, IPayload b, int level) => New(Math.Max(a.Size, b.Size), level);

    public IPayload Subtract(IPayload a, IPayload b, int level) => Add(a, b, level);

    public IPayload Negate(IPayload a, int level) => New(a.Size, level);

    public IPayload Add(IPayload a, PlainVector m, int level, Scale scale) => New(a.Size, level);

    public IPayload Add(IPayload a, ScaledConstant constant, int level) => New(a.Size, level);

    public IPayload Multiply(IPayload a, PlainVector m, int level, Scale scale) => New(a.Size, level);

    public IPayload Multiply(IPayload a, ScaledConstant constant, int level) => New(a.Size, level);

    public IPayload Multiply(IPayload a, IPayload b, int level) => New(3, level);

    public IPayload Relinearise(IPayload a, int level) => New(2, level);

    public IPayload Rescale(IPayload a, int level) => New(a.Size, level - 1);

    public IPayload Drop(IPayload a, int level) => New(a.Size, level);

    public IPayload[] Automorphisms(IPayload a, IReadOnlyList<int> elements, int level) => [.. elements.Select(_ => New(2, level))];

    public IPayload[] Transform(IReadOnlyList<IPayload> inputs, DiagonalMatrix m, int level, Scale scale)
    {
        lock (_gate)
        {
            var special = !m.DividesFirst(Parameters, level);
            _diagonals.UnionWith(m.Diagonals.Select(d => (d.Values, -m.GiantRotation * d.Giant, level, scale, special)));
        }

        return [.. Enumerable.Range(0, m.Rows).Select(_ => New(2, level))];
    }

    public IPayload SumAutomorphisms(IPayload a, IReadOnlyList<int> elements, int level) => New(2, level);

    public IPayload RaiseModulus(IPayload a, Scale scale) => New(2, Parameters.MaxLevel);

    /// <summary>A payload of two parts at a level, which no operand is needed for.</summary>
    internal IPayload Place(int level) => New(2, level);

    private Held New(int size, int level)
    {
        Count(size * (level + 1));
        return new Held(this, size, level);
    }

    private void Count(int limbs)
    {
        lock (_gate)
        {
            _limbs += limbs;
            PeakLimbs = Math.Max(PeakLimbs, _limbs);
        }
    }

    /// <summary>The place of a ciphertext.</summary>
    private sealed class Held(PlanBackend owner, int size, int level) : IPayload
    {
        private bool _freed;

        public int Size { get; } = size;

        public void Dispose()
        {
            if (!_freed)
            {
                _freed = true;
                owner.Count(-Size * (level + 1));
            }
        }
    }
}
