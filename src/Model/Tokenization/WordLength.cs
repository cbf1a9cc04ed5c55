namespace ActorTrainer.Model.Tokenization;

/// <summary>Length of a word as the published algorithm counts it.</summary>
internal static class WordLength
{
    /// <summary>Unicode characters; an unpaired surrogate counts as one.</summary>
    public static int InRunes(ReadOnlySpan<char> word)
    {
        var count = 0;
        foreach (var _ in word.EnumerateRunes())
        {
            count++;
        }

        return count;
    }
}
