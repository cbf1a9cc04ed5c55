namespace ActorTrainer.Model.Glue;

/// <summary>Rows of one split of a task, as token ids with labels. Rows are numbered from 0 and may be read in any order.</summary>
public interface IEncodedRows
{
    /// <summary>Rows.</summary>
    int Count { get; }

    /// <summary>Tokens of a row with its padding.</summary>
    int Sequence { get; }

    /// <summary>Token ids of a row; those from <see cref="Length"/> on, if there are any, are <see cref="PadId"/>.</summary>
    ReadOnlySpan<int> Ids(int row);

    /// <summary>Tokens of a row without its padding, 1 … <see cref="Sequence"/>.</summary>
    int Length(int row);

    /// <summary>Number of the class, or the real number of a regression task. Without meaning in splits without labels.</summary>
    float Label(int row);

    /// <summary>Id that fills rows up.</summary>
    int PadId { get; }

    /// <summary>Hash over everything that the rows depend on.</summary>
    string Key { get; }

    /// <summary>The task.</summary>
    GlueTaskInfo Task { get; }

    /// <summary>Name of the split, e.g. <c>train</c> or <c>dev_matched</c>.</summary>
    string Name { get; }

    /// <summary>Id of a row in the file it came from.</summary>
    string Id(int row);
}
