using ActorTrainer.He.Backends;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Refresh;

/// <summary>Notes how large the slots of every site get on the twin, so that a run without the owner knows what to bootstrap them by.</summary>
/// <param name="inner">Refreshes on the twin.</param>
public sealed class BoundProbe(IRefresher inner) : IRefresher
{
    private readonly Dictionary<string, double> _largest = [];

    /// <inheritdoc/>
    public int MaxLevel => inner.MaxLevel;

    /// <inheritdoc/>
    public int Floor => inner.Floor;

    /// <inheritdoc/>
    public int Reach(string site) => inner.Reach(site);

    /// <summary>
    /// A bound for every site: the next power of two above <paramref name="headroom"/> times the largest size that was seen. Powers of two tell little of the numbers that they were found on.
    /// </summary>
    public IReadOnlyDictionary<string, double> Bounds(double headroom) =>
        _largest.ToDictionary(site => site.Key, site => site.Value > 0 ? Math.Pow(2, Math.Ceiling(Math.Log2(headroom * site.Value))) : 1);

    /// <inheritdoc/>
    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
    {
        var largest = ciphertexts.SelectMany(TwinBackend.Values).Max(value => value.Magnitude);
        _largest[site] = Math.Max(largest, _largest.GetValueOrDefault(site));
        return inner.Refresh(ciphertexts, level, site);
    }
}
