using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Encoded diagonals of linear transforms, kept for the next use at the same level and scale up to a budget of memory. What does not fit is encoded
/// on demand; nothing is put out for it, since programs use their transforms in turn. For one context.
/// </summary>
/// <param name="budgetBytes">Native memory that it may hold.</param>
public sealed class DiagonalCache(long budgetBytes) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(PlainVector Values, int Rotation, int Level, Scale Scale), Polynomial> _kept = [];

    /// <summary>Native memory held.</summary>
    public long Bytes { get; private set; }

    /// <summary>Encoded diagonals held.</summary>
    public int Count => _kept.Count;

    /// <summary>Forgets all.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var polynomial in _kept.Values)
            {
                polynomial.Dispose();
            }

            _kept.Clear();
            Bytes = 0;
        }
    }

    internal Polynomial? Find(PlainVector values, int rotation, int level, Scale scale)
    {
        lock (_gate)
        {
            return _kept.GetValueOrDefault((values, rotation, level, scale));
        }
    }

    /// <summary>Whether it is kept, in which case it is no longer the caller's to dispose of.</summary>
    internal bool Keep(PlainVector values, int rotation, int level, Scale scale, Polynomial encoded, long bytes)
    {
        lock (_gate)
        {
            if (Bytes + bytes > budgetBytes || !_kept.TryAdd((values, rotation, level, scale), encoded))
            {
                return false;
            }

            Bytes += bytes;
            return true;
        }
    }
}
