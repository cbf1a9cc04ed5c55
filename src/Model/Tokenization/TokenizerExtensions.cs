using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Tokenization;

/// <summary>Encodings with special tokens around the text, after the templates of crammed BERT.</summary>
public static class TokenizerExtensions
{
    /// <summary>Special tokens of a pair: cls, sep, sep.</summary>
    private const int PairSpecials = 3;

    /// <summary>Ids of the text and a separator: <c>A sep</c>, the form in which documents are packed for pre-training.</summary>
    public static int[] EncodeSingle(this ITokenizer tokenizer, ReadOnlySpan<char> text)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, ids);
        ids.Add(tokenizer.Special.Separator);
        return [.. ids];
    }

    /// <summary>
    /// Ids of <c>cls A sep B sep</c>, at most <paramref name="maxLength"/> of them; what is too long is cut at the end, the longer text
    /// first. A single sentence of GLUE goes in with an empty <paramref name="second"/> and becomes <c>cls A sep sep</c>.
    /// </summary>
    /// <exception cref="RefusedException">There is no room for the three special tokens.</exception>
    public static int[] EncodePair(this ITokenizer tokenizer, ReadOnlySpan<char> first, ReadOnlySpan<char> second, int maxLength)
    {
        if (maxLength < PairSpecials)
        {
            throw new RefusedException($"A pair needs room for cls, sep and sep: at least {PairSpecials} tokens, found {maxLength}.");
        }

        var (a, b) = (new List<int>(), new List<int>());
        tokenizer.Encode(first, a);
        tokenizer.Encode(second, b);
        var (keepA, keepB) = TruncateLongestFirst(a.Count, b.Count, maxLength - PairSpecials);
        var special = tokenizer.Special;
        return [special.Classify, .. a.Take(keepA), special.Separator, .. b.Take(keepB), special.Separator];
    }

    /// <summary>
    /// How many tokens each text keeps when both together may have <paramref name="room"/>: tokens go from the longer one until they
    /// fit; when both end up cut, the one that was longer (the second of equals) keeps the odd token.
    /// </summary>
    public static (int First, int Second) TruncateLongestFirst(int first, int second, int room)
    {
        if (first + second <= room)
        {
            return (first, second);
        }

        var (half, rest) = (room / 2, room - room / 2);
        if (first > second)
        {
            return second <= half ? (room - second, second) : (rest, half);
        }

        return first <= half ? (first, room - first) : (half, rest);
    }
}
