using System.Runtime.InteropServices;

namespace ActorTrainer.Model.Tokenization;

/// <summary>
/// Counts the words of a stream of documents in bounded memory. Documents are counted in batches by worker threads and the batches added up
/// in their order, so the counts (and what is forgotten when there are too many words) do not depend on the workers.
/// </summary>
internal sealed class WordCounter
{
    /// <summary>Characters of a batch, unless one document is longer.</summary>
    private const int BatchCharacters = 1 << 20;

    private readonly TokenizerSettings _settings;
    private readonly int _limit;
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);

    private WordCounter(TokenizerSettings settings, int limit)
    {
        _settings = settings;
        _limit = limit;
    }

    /// <summary>Words and how often they occur. Words longer than the settings allow are left out: they never get pieces.</summary>
    /// <param name="documents">Text, read once and in order.</param>
    /// <param name="settings">How text becomes words.</param>
    /// <param name="workers">Threads, at least 1.</param>
    /// <param name="limit">Distinct words kept.</param>
    /// <param name="progress">Told the number of characters read so far.</param>
    /// <param name="cancellation">Stops the count.</param>
    public static Dictionary<string, long> Count(
        IEnumerable<string> documents,
        TokenizerSettings settings,
        int workers,
        int limit,
        Action<long>? progress,
        CancellationToken cancellation)
    {
        var counter = new WordCounter(settings, limit);
        var running = new Queue<Task<Dictionary<string, long>>>();
        var read = 0L;
        foreach (var batch in Batches(documents))
        {
            cancellation.ThrowIfCancellationRequested();
            running.Enqueue(Task.Run(() => CountBatch(batch, settings), cancellation));
            if (running.Count >= workers)
            {
                counter.Add(running.Dequeue().GetAwaiter().GetResult());
            }

            read += batch.Sum(document => (long)document.Length);
            progress?.Invoke(read);
        }

        while (running.TryDequeue(out var task))
        {
            counter.Add(task.GetAwaiter().GetResult());
        }

        return counter._counts;
    }

    private static IEnumerable<List<string>> Batches(IEnumerable<string> documents)
    {
        var batch = new List<string>();
        var characters = 0L;
        foreach (var document in documents)
        {
            batch.Add(document);
            characters += document.Length;
            if (characters >= BatchCharacters)
            {
                yield return batch;
                (batch, characters) = ([], 0);
            }
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    private static Dictionary<string, long> CountBatch(List<string> documents, TokenizerSettings settings)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var sink = new CountSink(counts.GetAlternateLookup<ReadOnlySpan<char>>(), settings.MaxWordCharacters);
        foreach (var document in documents)
        {
            WordSplitter.Split(settings, document, ref sink);
        }

        return counts;
    }

    private void Add(Dictionary<string, long> batch)
    {
        foreach (var (word, count) in batch)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_counts, word, out _) += count;
        }

        for (var floor = 1L; _counts.Count > _limit; floor *= 2)
        {
            Forget(floor);
        }
    }

    /// <summary>Removes words that occur at most <paramref name="floor"/> times.</summary>
    private void Forget(long floor)
    {
        foreach (var (word, count) in _counts)
        {
            if (count <= floor)
            {
                _counts.Remove(word);
            }
        }
    }

    private readonly struct CountSink(Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> counts, int longest) : IWordSink
    {
        public void Word(scoped ReadOnlySpan<char> word)
        {
            if (word.Length <= longest || WordLength.InRunes(word) <= longest)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(counts, word, out _)++;
            }
        }
    }
}
