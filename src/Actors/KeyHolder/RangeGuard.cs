using System.Numerics;
using ActorTrainer.Actors.Encrypted;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>Values of a site that left the interval in which the program's approximations hold.</summary>
/// <param name="Site">Unit and tensor.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Its upper end.</param>
/// <param name="Outside">Slots outside so far.</param>
/// <param name="Seen">Slots seen so far.</param>
/// <param name="Worst">How far the worst one was off the interval; infinite for one that is no number.</param>
/// <param name="First">The first request with such a slot.</param>
public sealed record RangeWarning(string Site, double Low, double High, long Outside, long Seen, double Worst, RefreshKey First);

/// <summary>
/// Watches the real parts of slots for the owner: an approximation outside of its interval gives nonsense, and nobody else can see that. The cluster is told nothing,
/// and cannot tell by the time either: values in range take the same steps as others.
/// </summary>
/// <param name="ranges">Site → interval; other sites are not watched.</param>
public sealed class RangeGuard(IReadOnlyDictionary<string, (double Low, double High)> ranges) : IOwnerObserver
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, RangeWarning> _tallies = new(StringComparer.Ordinal);

    /// <summary>Sites with slots outside, by name.</summary>
    public IReadOnlyList<RangeWarning> Warnings
    {
        get
        {
            lock (_gate)
            {
                return [.. _tallies.Values.Where(tally => tally.Outside > 0)];
            }
        }
    }

    /// <inheritdoc/>
    public void Observed(RefreshKey key, int index, IReadOnlyList<Complex> slots)
    {
        if (!ranges.TryGetValue(key.Site, out var range))
        {
            return;
        }

        var (outside, worst) = (0L, 0.0);
        foreach (var slot in slots)
        {
            // What is no number is in no interval: both comparisons and maxima carry it on.
            var excess = Math.Max(range.Low - slot.Real, slot.Real - range.High);
            outside += excess <= 0 ? 0 : 1;
            worst = Math.Max(worst, excess);
        }

        lock (_gate)
        {
            var tally = _tallies.GetValueOrDefault(key.Site) ?? new RangeWarning(key.Site, range.Low, range.High, 0, 0, 0, key);
            _tallies[key.Site] = tally with
            {
                Outside = tally.Outside + outside,
                Seen = tally.Seen + slots.Count,
                Worst = Math.Max(tally.Worst, double.IsNaN(worst) ? double.PositiveInfinity : worst),
                First = tally.Outside == 0 ? key : tally.First,
            };
        }
    }
}
