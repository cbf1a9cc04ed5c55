namespace ActorTrainer.Model.Tokenization;

/// <summary>Text to token ids and back. Implementations are immutable and safe to use from many threads.</summary>
public interface ITokenizer
{
    /// <summary>Number of entries; every id lies in [0, VocabularySize).</summary>
    int VocabularySize { get; }

    /// <summary>Ids of the special tokens.</summary>
    SpecialTokens Special { get; }

    /// <summary>SHA-256 (lower-case hex) over vocabulary and settings: equal hashes encode equally.</summary>
    string Hash { get; }

    /// <summary>Appends the ids of <paramref name="text"/> to <paramref name="ids"/>, without special tokens around it.</summary>
    void Encode(ReadOnlySpan<char> text, List<int> ids);

    /// <summary>Text of the ids, pieces joined; special tokens are left out when <paramref name="skipSpecial"/>.</summary>
    string Decode(IReadOnlyList<int> ids, bool skipSpecial = true);
}

/// <summary>Ids of special tokens. In vocabularies trained here they are fixed: pad 0, s 1, /s 2, unk 3, cls 4, sep 5, mask 6.</summary>
public sealed record SpecialTokens(int Pad, int Unknown, int Classify, int Separator, int Mask)
{
    /// <summary>The ids of vocabularies trained by this project.</summary>
    public static readonly SpecialTokens Own = new(Pad: 0, Unknown: 3, Classify: 4, Separator: 5, Mask: 6);
}
