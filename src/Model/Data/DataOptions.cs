namespace ActorTrainer.Model.Data;

/// <summary>Kind of a corpus.</summary>
public enum DataSourceKind
{
    /// <summary>English-like text made by <c>SampleText</c>; needs no files.</summary>
    Sample,

    /// <summary>Text files (in folders: *.txt), UTF-8.</summary>
    Text,

    /// <summary>One JSON object per line (in folders: *.jsonl), UTF-8.</summary>
    Jsonl,

    /// <summary>Parquet shards (in folders: *.parquet) with an int32 list column <c>input_ids</c>, already tokenised (pile-readymade).</summary>
    Parquet,
}

/// <summary>What separates documents in text files.</summary>
public enum DocumentLayout
{
    /// <summary>Every non-empty line is a document.</summary>
    Lines,

    /// <summary>Documents are separated by blank lines.</summary>
    BlankLines,
}

/// <summary>Where training text comes from and how it is prepared; key group <c>data</c>.</summary>
public sealed record DataOptions
{
    public DataSourceKind Source { get; init; } = DataSourceKind.Sample;

    /// <summary>
    /// A file, a folder, or a pattern in the last segment (<c>dir/train-*.txt</c>). Folders are read in ordinal order of the
    /// names and not recursed into. Unused for <see cref="DataSourceKind.Sample"/>.
    /// </summary>
    public string Path { get; init; } = "";

    /// <summary>
    /// Held-out file, folder or pattern of the same kind; its files are left out of training when they lie inside
    /// <see cref="Path"/>. Empty: <see cref="HeldOutFraction"/> of the documents is held out.
    /// </summary>
    public string ValidPath { get; init; } = "";

    /// <summary>Share of the documents held out when there is no <see cref="ValidPath"/>; chosen by hash of the document, so stable.</summary>
    public double HeldOutFraction { get; init; } = 0.02;

    public DocumentLayout Layout { get; init; } = DocumentLayout.BlankLines;

    /// <summary>
    /// Every block begins with the classification token, as inputs of fine-tuning do; it is not predicted. Ignored by
    /// <see cref="DataSourceKind.Parquet"/>, whose rows are taken as they are.
    /// </summary>
    public bool ClassifyFirst { get; init; }

    /// <summary>Field of a jsonl object that holds the text.</summary>
    public string JsonField { get; init; } = "text";

    /// <summary>tokenizer.json, vocab.txt or a folder holding one; empty: a tokenizer is trained on the corpus.</summary>
    public string Tokenizer { get; init; } = "";

    /// <summary>Entries of the vocabulary to train (= arch.vocabulary).</summary>
    public int Vocabulary { get; init; } = 32768;

    /// <summary>Tokens of a block (= arch.sequence).</summary>
    public int Sequence { get; init; } = 128;

    /// <summary>Folder of prepared data and trained tokenizers, shared by runs.</summary>
    public string Cache { get; init; } = "outputs/data";

    /// <summary>Megabytes of text that the sample source makes.</summary>
    public double SampleMegabytes { get; init; } = 4;

    /// <summary>Seed of the sample source.</summary>
    public ulong SampleSeed { get; init; } = 1;

    /// <summary>Worker threads of tokenisation; 0 = one per core.</summary>
    public int Workers { get; init; }
}
