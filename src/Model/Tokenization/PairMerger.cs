using System.Runtime.InteropServices;

namespace ActorTrainer.Model.Tokenization;

/// <summary>
/// Words as sequences of symbols, and how often each pair of neighbours occurs. The most frequent pair is merged again and again, as in
/// byte-pair encoding (Sennrich et al., 2016); only the counts of pairs beside a merged one change.
/// </summary>
internal sealed class PairMerger
{
    private readonly List<int[]> _words = [];
    private readonly List<int> _lengths = [];
    private readonly List<long> _frequencies = [];
    private readonly Dictionary<Pair, Occurrences> _pairs = [];

    /// <summary>
    /// Pairs by falling count, then rising ids, so that ties do not depend on the order of words. An entry may be out of date, but every pair
    /// has one whose count is at least the pair's own.
    /// </summary>
    private readonly PriorityQueue<(Pair Pair, long Count), (long NegativeCount, Pair Pair)> _queue = new();

    /// <summary>A pair of neighbouring symbols.</summary>
    public readonly record struct Pair(int First, int Second) : IComparable<Pair>
    {
        public int CompareTo(Pair other) => First != other.First ? First.CompareTo(other.First) : Second.CompareTo(other.Second);
    }

    /// <summary>Takes a word; the array is kept and changed.</summary>
    public void Add(int[] symbols, long frequency)
    {
        var word = _words.Count;
        _words.Add(symbols);
        _lengths.Add(symbols.Length);
        _frequencies.Add(frequency);
        for (var i = 0; i + 1 < symbols.Length; i++)
        {
            Change(new Pair(symbols[i], symbols[i + 1]), frequency, word);
        }
    }

    /// <summary>Call once, after the last <see cref="Add"/>.</summary>
    public void Start()
    {
        foreach (var (pair, occurrences) in _pairs)
        {
            Push(pair, occurrences.Count);
        }
    }

    /// <summary>The most frequent pair, which leaves the queue; false when no pair occurs any more.</summary>
    public bool TryTake(out Pair pair, out long count)
    {
        while (_queue.TryDequeue(out var entry, out _))
        {
            ref var occurrences = ref CollectionsMarshal.GetValueRefOrNullRef(_pairs, entry.Pair);
            var current = System.Runtime.CompilerServices.Unsafe.IsNullRef(ref occurrences) ? 0 : occurrences.Count;
            if (current == entry.Count && current > 0)
            {
                (pair, count) = entry;
                return true;
            }

            if (current > 0 && current < entry.Count)
            {
                Push(entry.Pair, current);
            }
        }

        (pair, count) = (default, 0);
        return false;
    }

    /// <summary>Leaves a pair out for good.</summary>
    public void Forbid(Pair pair) => _pairs.Remove(pair);

    /// <summary>Replaces every occurrence of the pair, from the left, by <paramref name="merged"/>.</summary>
    public void Merge(Pair pair, int merged)
    {
        var grown = new HashSet<Pair>();
        foreach (var word in _pairs[pair].Words)
        {
            MergeInWord(word, pair, merged, grown);
        }

        _pairs.Remove(pair);
        grown.Remove(pair);
        foreach (var other in grown)
        {
            if (_pairs.TryGetValue(other, out var occurrences) && occurrences.Count > 0)
            {
                Push(other, occurrences.Count);
            }
        }
    }

    private void MergeInWord(int word, Pair pair, int merged, HashSet<Pair> grown)
    {
        var symbols = _words[word].AsSpan(0, _lengths[word]);
        var frequency = _frequencies[word];
        var write = 0;
        for (var read = 0; read < symbols.Length; write++)
        {
            if (read + 1 == symbols.Length || symbols[read] != pair.First || symbols[read + 1] != pair.Second)
            {
                symbols[write] = symbols[read++];
                continue;
            }

            if (write > 0)
            {
                Change(new Pair(symbols[write - 1], pair.First), -frequency, word);
                Grow(new Pair(symbols[write - 1], merged));
            }

            if (read + 2 < symbols.Length)
            {
                Change(new Pair(pair.Second, symbols[read + 2]), -frequency, word);
                Grow(new Pair(merged, symbols[read + 2]));
            }

            symbols[write] = merged;
            read += 2;
        }

        _lengths[word] = write;

        void Grow(Pair other)
        {
            Change(other, frequency, word);
            grown.Add(other);
        }
    }

    private void Change(Pair pair, long by, int word)
    {
        ref var occurrences = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out var known);
        if (!known)
        {
            occurrences = new Occurrences();
        }

        occurrences!.Count += by;
        if (by > 0 && (occurrences.Words.Count == 0 || occurrences.Words[^1] != word))
        {
            occurrences.Words.Add(word);
        }
    }

    private void Push(Pair pair, long count) => _queue.Enqueue((pair, count), (-count, pair));

    /// <summary>How often a pair occurs, and the words that have or had it.</summary>
    private sealed class Occurrences
    {
        public long Count;
        public readonly List<int> Words = [];
    }
}
