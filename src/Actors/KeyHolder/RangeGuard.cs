using System.Numerics;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Layers;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>Values of a site that left the interval in which the program's approximations hold, or came near the end of what their level has room for.</summary>
/// <param name="Site">Unit and tensor.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Its upper end.</param>
/// <param name="Outside">Slots outside so far, of those that count.</param>
/// <param name="Seen">Slots seen so far, of those that count.</param>
/// <param name="Worst">How far the worst one was off the interval; infinite for one that is no number.</param>
/// <param name="First">The first request with such a slot.</param>
/// <param name="IsRoom">Whether the interval is half of the level's room, and not that of an approximation.</param>
public sealed record RangeWarning(string Site, double Low, double High, long Outside, long Seen, double Worst, RefreshKey First, bool IsRoom = false);

/// <summary>
/// Watches the real parts of slots for the owner: an approximation outside of its interval gives nonsense, and nobody else can see that. The cluster is told nothing,
/// and cannot tell by the time either: values in range take the same steps as others, and so do slots that count and others.
/// </summary>
/// <param name="ranges">Of other sites, only the room of the level is watched.</param>
/// <param name="counted">Which slots of a request mean something, besides what its range says; null for all of them. Called for every request of a watched site; see <see cref="RealTokens"/>.</param>
/// <exception cref="ArgumentException">Two ranges are of one site.</exception>
public sealed class RangeGuard(IEnumerable<SiteRange> ranges, Func<RefreshKey, IReadOnlyList<bool>?>? counted = null) : IOwnerObserver
{
    private readonly Dictionary<string, SiteRange> _ranges = ranges.ToDictionary(range => range.Site, StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, RangeWarning> _tallies = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, RangeWarning> _rooms = new(StringComparer.Ordinal);

    /// <summary>Sites with slots outside, by name; then those with slots beyond half of the room.</summary>
    public IReadOnlyList<RangeWarning> Warnings
    {
        get
        {
            lock (_gate)
            {
                return [.. _tallies.Values.Concat(_rooms.Values).Where(tally => tally.Outside > 0)];
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">What says which slots count is of another number of slots.</exception>
    public void Observed(RefreshKey key, int index, IReadOnlyList<Complex> slots)
    {
        if (!_ranges.TryGetValue(key.Site, out var range))
        {
            return;
        }

        var (low, high) = (range.Low, range.High);
        var (own, told) = (Of(slots.Count, range.Slots, key), Of(slots.Count, counted?.Invoke(key), key));
        var (seen, outside, worst) = (0L, 0L, 0.0);
        for (var i = 0; i < slots.Count; i++)
        {
            // What is no number is in no interval: both comparisons and maxima carry it on.
            var counts = own[i] & told[i];
            var excess = Math.Max(low - slots[i].Real, slots[i].Real - high);
            seen += counts ? 1 : 0;
            outside += counts & !(excess <= 0) ? 1 : 0;
            worst = Math.Max(worst, counts ? excess : 0);
        }

        Add(_tallies, new RangeWarning(key.Site, low, high, outside, seen, worst, key));
    }

    /// <inheritdoc/>
    /// <remarks>One slot without room wrecks all of its ciphertext, so all of them count, whatever they mean.</remarks>
    public void Observed(RefreshKey key, int index, IReadOnlyList<Complex> slots, double room)
    {
        var (half, outside, worst) = (room / 2, 0L, 0.0);
        for (var i = 0; i < slots.Count; i++)
        {
            var excess = Math.Max(Math.Abs(slots[i].Real), Math.Abs(slots[i].Imaginary)) - half;
            outside += excess > 0 ? 1 : 0;
            worst = Math.Max(worst, excess);
        }

        Add(_rooms, new RangeWarning(key.Site, -half, half, outside, slots.Count, worst, key, IsRoom: true));
        Observed(key, index, slots);
    }

    private void Add(SortedDictionary<string, RangeWarning> tallies, RangeWarning seen)
    {
        lock (_gate)
        {
            var tally = tallies.GetValueOrDefault(seen.Site) ?? seen with { Outside = 0, Seen = 0, Worst = 0 };
            var isFirst = tally.Outside == 0;
            tallies[seen.Site] = tally with
            {
                Low = isFirst ? seen.Low : tally.Low,
                High = isFirst ? seen.High : tally.High,
                Outside = tally.Outside + seen.Outside,
                Seen = tally.Seen + seen.Seen,
                Worst = Math.Max(tally.Worst, double.IsNaN(seen.Worst) ? double.PositiveInfinity : seen.Worst),
                First = isFirst ? seen.First : tally.First,
            };
        }
    }

    /// <summary>All slots where nothing is said.</summary>
    private static IReadOnlyList<bool> Of(int slots, IReadOnlyList<bool>? mask, RefreshKey key)
    {
        var result = mask ?? All(slots);
        return result.Count == slots
            ? result
            : throw new ArgumentException($"{key} has {slots} slots; expected as many words on which of them count, found {result.Count}.");
    }

    private static bool[] All(int slots)
    {
        var all = new bool[slots];
        Array.Fill(all, true);
        return all;
    }
}
