using System.Text;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Tokenization;

/// <summary>
/// Trains a WordPiece vocabulary as Hugging Face's trainer does: characters first, then the pair of neighbouring pieces that occurs most
/// often becomes a piece, until the vocabulary is full. Ties go to the pair of smaller ids, so the result depends on the corpus and the
/// options alone.
/// </summary>
public static class WordPieceTrainer
{
    /// <summary>Entries between two reports of progress.</summary>
    private const int ProgressEvery = 256;

    /// <summary>
    /// Trains on documents, read once and in order; only the counts of their words are kept.
    /// Ids: pad 0, s 1, /s 2, unk 3, cls 4, sep 5, mask 6, then the alphabet by code point, then its continuing forms, then merges.
    /// </summary>
    /// <param name="documents">The corpus.</param>
    /// <param name="options">Size and settings.</param>
    /// <param name="progress">
    /// Told a phase and how far it is: "words" with the number of characters read, "merges" with the share (0 to 1) of the vocabulary done.
    /// </param>
    /// <param name="cancellation">Stops the training.</param>
    /// <exception cref="RefusedException">The corpus cannot fill a vocabulary of this size, or an option is out of range.</exception>
    public static WordPieceTokenizer Train(
        IEnumerable<string> documents,
        WordPieceTrainerOptions options,
        Action<string, double>? progress = null,
        CancellationToken cancellation = default)
    {
        Check(options);
        var counts = WordCounter.Count(
            documents,
            options.Settings,
            options.Workers > 0 ? options.Workers : Environment.ProcessorCount,
            options.DistinctWordLimit,
            characters => progress?.Invoke("words", characters),
            cancellation);
        var words = counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToArray();
        if (words.Length == 0)
        {
            throw new RefusedException("The corpus has no words to train a vocabulary on; give it text.");
        }

        var vocabulary = new Vocabulary();
        var merger = new PairMerger();
        AddAlphabet(words, options.AlphabetLimit, vocabulary, merger);
        if (vocabulary.Count > options.VocabularySize)
        {
            throw new RefusedException(
                $"A vocabulary of {options.VocabularySize} entries is too small: special tokens and alphabet of this corpus alone are "
                + $"{vocabulary.Count}. Ask for at least that many.");
        }

        Merge(merger, vocabulary, options, progress, cancellation);
        return new WordPieceTokenizer(vocabulary.Tokens, options.Settings);
    }

    private static void Check(WordPieceTrainerOptions options)
    {
        var minimum = SpecialNames.Own.Count + 1;
        Require(options.VocabularySize >= minimum, "vocabulary size", minimum, options.VocabularySize);
        Require(options.MinimumFrequency >= 1, "minimum frequency", 1, options.MinimumFrequency);
        Require(options.AlphabetLimit >= 1, "alphabet limit", 1, options.AlphabetLimit);
        Require(options.DistinctWordLimit >= 1, "distinct word limit", 1, options.DistinctWordLimit);
        Require(options.Workers >= 0, "number of workers", 0, options.Workers);

        static void Require(bool holds, string name, long least, long found)
        {
            if (!holds)
            {
                throw new RefusedException($"The {name} of tokenizer training must be at least {least}, found {found}.");
            }
        }
    }

    private static void AddAlphabet(KeyValuePair<string, long>[] words, int limit, Vocabulary vocabulary, PairMerger merger)
    {
        var frequencies = new Dictionary<Rune, long>();
        foreach (var (word, count) in words)
        {
            foreach (var rune in word.EnumerateRunes())
            {
                frequencies[rune] = frequencies.GetValueOrDefault(rune) + count;
            }
        }

        var kept = frequencies.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).Take(limit).Select(pair => pair.Key).ToHashSet();
        var usable = words.Where(pair => pair.Key.EnumerateRunes().All(kept.Contains)).ToArray();
        foreach (var rune in kept.Order())
        {
            vocabulary.Add(rune.ToString());
        }

        foreach (var rune in usable.SelectMany(pair => pair.Key.EnumerateRunes().Skip(1)).Distinct().Order())
        {
            vocabulary.Add(WordPieceTokenizer.ContinuationPrefix + rune);
        }

        foreach (var (word, count) in usable)
        {
            merger.Add([.. word.EnumerateRunes().Select((rune, i) => vocabulary.IdOf(i == 0 ? rune.ToString() : "##" + rune))], count);
        }
    }

    private static void Merge(
        PairMerger merger,
        Vocabulary vocabulary,
        WordPieceTrainerOptions options,
        Action<string, double>? progress,
        CancellationToken cancellation)
    {
        merger.Start();
        while (vocabulary.Count < options.VocabularySize)
        {
            if (!merger.TryTake(out var pair, out var count) || count < options.MinimumFrequency)
            {
                throw new RefusedException(
                    $"The corpus can fill {vocabulary.Count} vocabulary entries, but {options.VocabularySize} were asked for. "
                    + $"Give it more text or ask for at most {vocabulary.Count}.");
            }

            var piece = vocabulary.Tokens[pair.First] + vocabulary.Tokens[pair.Second][WordPieceTokenizer.ContinuationPrefix.Length..];
            if (SpecialNames.IsRecognised(piece))
            {
                merger.Forbid(pair);
                continue;
            }

            // Two pairs can spell the same piece ("a" + "##bc", "ab" + "##c"): it is one entry.
            merger.Merge(pair, vocabulary.Add(piece));
            if (vocabulary.Count % ProgressEvery == 0 || vocabulary.Count == options.VocabularySize)
            {
                cancellation.ThrowIfCancellationRequested();
                progress?.Invoke("merges", (double)vocabulary.Count / options.VocabularySize);
            }
        }
    }

    /// <summary>Entries in the order of their ids.</summary>
    private sealed class Vocabulary
    {
        private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

        public Vocabulary()
        {
            foreach (var name in SpecialNames.Own)
            {
                Add(name);
            }
        }

        public List<string> Tokens { get; } = [];

        public int Count => Tokens.Count;

        public int IdOf(string token) => _ids[token];

        /// <summary>The id of a token, which is new or known.</summary>
        public int Add(string token)
        {
            if (!_ids.TryGetValue(token, out var id))
            {
                id = Tokens.Count;
                _ids.Add(token, id);
                Tokens.Add(token);
            }

            return id;
        }
    }
}
