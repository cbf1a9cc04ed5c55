using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Tests.Data;

/// <summary>A tokenizer for tests: every word is an id by its hash, after the special ids.</summary>
internal sealed class WordTokenizer(int vocabulary = 1000, string hash = "words-1", Action? onEncode = null) : ITokenizer
{
    private const int FirstWord = 7;
    private int _encoded;

    /// <summary>Documents encoded so far.</summary>
    public int Encoded => _encoded;

    public int VocabularySize => vocabulary;

    public SpecialTokens Special => SpecialTokens.Own;

    public string Hash => hash;

    public void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        Interlocked.Increment(ref _encoded);
        onEncode?.Invoke();
        foreach (var range in text.SplitAny(' ', '\n'))
        {
            if (!text[range].IsEmpty)
            {
                ids.Add(Id(text[range]));
            }
        }
    }

    public string Decode(IReadOnlyList<int> ids, bool skipSpecial = true) => string.Join(' ', ids);

    /// <summary>The id of a word.</summary>
    public int Id(ReadOnlySpan<char> word)
    {
        var hash = 2166136261u;
        foreach (var letter in word)
        {
            hash = (hash ^ letter) * 16777619u;
        }

        return FirstWord + (int)(hash % (uint)(vocabulary - FirstWord));
    }
}
