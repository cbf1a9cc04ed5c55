namespace ActorTrainer.Model.Tokenization;

/// <summary>How a vocabulary is trained.</summary>
public sealed record WordPieceTrainerOptions
{
    /// <summary>Entries of the vocabulary, special tokens included; met exactly.</summary>
    public int VocabularySize { get; init; } = 32768;

    /// <summary>How text becomes words; part of the trained tokenizer.</summary>
    public TokenizerSettings Settings { get; init; } = TokenizerSettings.Crammed;

    /// <summary>Least number of times a pair must occur to be merged.</summary>
    public long MinimumFrequency { get; init; } = 1;

    /// <summary>Most characters of the alphabet; the rarest beyond are left out, and with them the words that hold one.</summary>
    public int AlphabetLimit { get; init; } = 1000;

    /// <summary>Threads that count words; 0 = one per core. The result does not depend on it.</summary>
    public int Workers { get; init; }

    /// <summary>
    /// Distinct words held in memory (about 100 bytes each). Beyond it the rarest are forgotten, at points that depend on the corpus
    /// alone.
    /// </summary>
    public int DistinctWordLimit { get; init; } = 4_000_000;
}
