namespace ActorTrainer.Model.Glue;

/// <summary>The rows of a split as token ids. May be read by several threads at a time.</summary>
public interface IEncodedRows
{
    /// <summary>Name of the split, e.g. <c>dev</c>.</summary>
    string Name { get; }

    /// <summary>The task.</summary>
    GlueTaskInfo Task { get; }

    /// <summary>What the rows were made of and how: equal keys, equal rows.</summary>
    string Key { get; }

    /// <summary>Number of rows.</summary>
    int Count { get; }

    /// <summary>Longest row possible, in tokens.</summary>
    int Sequence { get; }

    /// <summary>Id that fills a row up.</summary>
    int PadId { get; }

    /// <summary>Token ids of a row, at least <see cref="Length"/>; what follows is padding.</summary>
    ReadOnlySpan<int> Ids(int row);

    /// <summary>Tokens of a row without padding.</summary>
    int Length(int row);

    /// <summary>Number of the class, or the real number; NaN where there is none.</summary>
    float Label(int row);
}
