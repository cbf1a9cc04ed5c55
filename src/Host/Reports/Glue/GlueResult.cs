using System.Text.Json;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Reports.Glue;

/// <summary>One fine-tuning run and its scores, as <c>result.json</c> keeps it.</summary>
public sealed record GlueResult
{
    public const string FileName = "result.json";

    /// <summary>Folder of the run, relative to base_dir.</summary>
    public required string Run { get; init; }

    /// <summary>Name of the task.</summary>
    public required string Task { get; init; }

    /// <summary>What was trained, e.g. <c>full</c> or <c>LoRA r2</c>.</summary>
    public required string Method { get; init; }

    /// <summary><c>softmax</c> or <c>gaussian-kernel</c>.</summary>
    public required string Kernel { get; init; }

    /// <summary>The pre-trained model.</summary>
    public required string Checkpoint { get; init; }

    /// <summary>Number of the repeat, from 1.</summary>
    public required int Repeat { get; init; }

    public required ulong Seed { get; init; }

    public required double Epochs { get; init; }

    public required long Steps { get; init; }

    /// <summary>Seconds in steps.</summary>
    public required double Seconds { get; init; }

    public required long TrainableParameters { get; init; }

    public required double LearningRate { get; init; }

    /// <summary>One for each evaluation split.</summary>
    public required IReadOnlyList<GlueScore> Scores { get; init; }

    /// <summary>Writes the file into a folder, atomically.</summary>
    public void Save(string folder) => AtomicFile.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, ReportJson.Document) + "\n");
}
