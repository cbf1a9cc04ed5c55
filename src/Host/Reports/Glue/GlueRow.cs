namespace ActorTrainer.Host.Reports.Glue;

/// <summary>A metric over the repeats of a task.</summary>
/// <param name="Metric">Its name.</param>
/// <param name="Median">Median over the repeats.</param>
/// <param name="Best">Best of the repeats.</param>
/// <param name="N">Repeats.</param>
public sealed record GlueCell(string Metric, double Median, double Best, int N);

/// <summary>A metric of one split over the repeats.</summary>
/// <param name="Task">The task's name.</param>
/// <param name="Split">The split's name.</param>
/// <param name="Cell">The metric; of <c>loss</c> the lowest is best.</param>
public sealed record GlueLine(string Task, string Split, GlueCell Cell);

/// <summary>The results of one method, tasks side by side.</summary>
public sealed record GlueRow
{
    public required string Method { get; init; }

    public required string Kernel { get; init; }

    /// <summary>The pre-trained model.</summary>
    public required string Checkpoint { get; init; }

    /// <summary>The runs whose results it sums up.</summary>
    public required IReadOnlyList<string> Runs { get; init; }

    /// <summary>The target metric of each task that has one, by the task's name.</summary>
    public required IReadOnlyDictionary<string, GlueCell> Tasks { get; init; }

    /// <summary>Mean of the tasks' medians, WNLI left out; null without tasks.</summary>
    public required double? Mean { get; init; }

    /// <summary>Tasks in that mean.</summary>
    public required int MeanTasks { get; init; }

    /// <summary>Every metric of every split.</summary>
    public required IReadOnlyList<GlueLine> Metrics { get; init; }

    /// <summary>Published figures of the same method and kernel; null when there are none.</summary>
    public required PublishedRow? Published { get; init; }
}
