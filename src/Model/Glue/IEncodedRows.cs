namespace ActorTrainer.Model.Glue;

/// <summary>Rows of a split as token ids.</summary>
public interface IEncodedRows
{
    /// <summary>The task.</summary>
    GlueTaskInfo Task { get; }

    /// <summary>Identifies rows, labels and encoding: equal keys, equal rows.</summary>
    string Key { get; }

    /// <summary>Number of rows.</summary>
    int Count { get; }

    /// <summary>Most tokens of a row.</summary>
    int Sequence { get; }

    /// <summary>Id that rows are padded with.</summary>
    int PadId { get; }

    /// <summary>Token ids of a row, at least its <see cref="Length"/>.</summary>
    ReadOnlySpan<int> Ids(int row);

    /// <summary>Tokens of a row without padding.</summary>
    int Length(int row);

    /// <summary>Number of the class, or the score.</summary>
    float Label(int row);
}
