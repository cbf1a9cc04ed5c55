using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Diagonals of linear transforms, kept for their next use up to a budget of memory: their coefficients from the first use on, which serve all levels and scales and take as much as one limb; and from
/// the second use on, while there is room, all limbs of a level, which save their transforms too. What does not fit is encoded on demand; nothing is put out for it, since programs use their
/// transforms in turn. For one context; threads may use it at once.
/// </summary>
/// <param name="budgetBytes">Native memory that it may hold.</param>
public sealed class DiagonalCache(long budgetBytes) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(PlainVector Values, int Rotation), UnscaledCoefficients> _coefficients = [];
    private readonly Dictionary<(PlainVector Values, int Rotation, int Level, Scale Scale, bool Special), DiagonalLimbs> _limbs = [];

    /// <summary>Native memory held.</summary>
    public long Bytes { get; private set; }

    /// <summary>Diagonals whose coefficients are held.</summary>
    public int Count => _coefficients.Count;

    /// <summary>Diagonals that are held with all limbs of a level.</summary>
    public int Encoded => _limbs.Count;

    /// <summary>Forgets all.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var held in _coefficients.Values.Cast<IDisposable>().Concat(_limbs.Values))
            {
                held.Dispose();
            }

            _coefficients.Clear();
            _limbs.Clear();
            Bytes = 0;
        }
    }

    internal DiagonalLimbs? Limbs(PlainVector values, int rotation, int level, Scale scale, bool special)
    {
        lock (_gate)
        {
            return _limbs.GetValueOrDefault((values, rotation, level, scale, special));
        }
    }

    internal UnscaledCoefficients? Coefficients(PlainVector values, int rotation)
    {
        lock (_gate)
        {
            return _coefficients.GetValueOrDefault((values, rotation));
        }
    }

    /// <summary>Whether it is kept, in which case it is no longer the caller's to dispose of.</summary>
    internal bool Keep(PlainVector values, int rotation, UnscaledCoefficients coefficients, long bytes)
    {
        lock (_gate)
        {
            return Fits(bytes) && Taken(_coefficients.TryAdd((values, rotation), coefficients), bytes);
        }
    }

    /// <inheritdoc cref="Keep(PlainVector, int, UnscaledCoefficients, long)"/>
    internal bool Keep(PlainVector values, int rotation, int level, Scale scale, bool special, DiagonalLimbs limbs)
    {
        lock (_gate)
        {
            return Fits(limbs.Bytes) && Taken(_limbs.TryAdd((values, rotation, level, scale, special), limbs), limbs.Bytes);
        }
    }

    /// <summary>Whether so much more would be kept now.</summary>
    internal bool Fits(long bytes) => Bytes + bytes <= budgetBytes;

    private bool Taken(bool added, long bytes)
    {
        Bytes += added ? bytes : 0;
        return added;
    }
}
