namespace ActorTrainer.Model.Glue;

/// <summary>A tokenised split: rows of token ids with labels.</summary>
public interface IEncodedRows
{
    GlueTaskInfo Task { get; }

    /// <summary>Name of the split.</summary>
    string Name { get; }

    /// <summary>Rows.</summary>
    int Count { get; }

    /// <summary>Most tokens of a row.</summary>
    int Sequence { get; }

    int PadId { get; }

    /// <summary>SHA-256 (lower-case hex) over ids, labels and sequence.</summary>
    string Key { get; }

    /// <summary>Token ids without padding.</summary>
    ReadOnlySpan<int> Ids(int row);

    /// <summary>Tokens of a row.</summary>
    int Length(int row);

    /// <summary>Number of the class, or the score; NaN where the split has no labels.</summary>
    float Label(int row);

    /// <summary>Name of the row in its file.</summary>
    string Id(int row);
}
