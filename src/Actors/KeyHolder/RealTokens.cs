using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>
/// Which exponents of attention are of real tokens, for a <see cref="RangeGuard"/>: the slots where the mask of the micro-batch is one. What stands elsewhere is multiplied by zero before a function
/// sees it. Several threads may ask at once.
/// </summary>
/// <param name="packing">Of the run.</param>
/// <param name="ranges">Of the program: they say which sites are exponents.</param>
/// <param name="lengths">Tokens without padding of each example of a request's micro-batch; null where the owner does not know them, and then all are taken to be real.</param>
public sealed class RealTokens(Packing packing, IEnumerable<SiteRange> ranges, Func<RefreshKey, IReadOnlyList<int>?> lengths)
{
    private readonly Dictionary<string, int> _groups = ranges.Where(range => range.ShiftGroup is not null).ToDictionary(range => range.Site, range => range.ShiftGroup!.Value, StringComparer.Ordinal);

    /// <summary>For a guard: one for each slot, null for sites where all slots count.</summary>
    /// <exception cref="ArgumentException">There are more or fewer lengths than the packing has examples.</exception>
    public IReadOnlyList<bool>? Slots(RefreshKey key)
    {
        if (!_groups.TryGetValue(key.Site, out var group) || lengths(key) is not { } tokens)
        {
            return null;
        }

        return tokens.Count == packing.Batch
            ? [.. new MicroBatchSlots(packing, packing.Tokens).Mask(tokens, group).Select(real => real != 0)]
            : throw new ArgumentException($"Expected the lengths of {packing.Batch} examples of {key}, found {tokens.Count}.");
    }
}
