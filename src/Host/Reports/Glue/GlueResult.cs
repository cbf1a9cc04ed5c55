using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Reports.Glue;

/// <summary>One fine-tuning of one task, as <c>result.json</c> keeps it.</summary>
public sealed record GlueResult
{
    public const string FileName = "result.json";

    /// <summary>A larger file is none of these, bytes.</summary>
    private const long MaxBytes = 1 << 20;

    /// <summary>Name of the run.</summary>
    public required string Run { get; init; }

    /// <summary>The task's name, e.g. <c>cola</c>.</summary>
    public required string Task { get; init; }

    /// <summary>What was trained, e.g. <c>full</c>, <c>LoRA r2</c>, <c>LoRA r2 polynomial</c>.</summary>
    public required string Method { get; init; }

    /// <summary>Attention: <c>softmax</c> or <c>gaussian-kernel</c>.</summary>
    public required string Kernel { get; init; }

    /// <summary>The pre-trained model it started from.</summary>
    public required string Checkpoint { get; init; }

    /// <summary>Which of the run's repeats of this task.</summary>
    public required int Repeat { get; init; }

    /// <summary>Seed of this repeat.</summary>
    public required ulong Seed { get; init; }

    public required double Epochs { get; init; }

    /// <summary>Optimiser steps.</summary>
    public required long Steps { get; init; }

    /// <summary>Seconds of training and evaluation.</summary>
    public required double Seconds { get; init; }

    public required long TrainableParameters { get; init; }

    /// <summary>Peak learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>One for each labelled split that was evaluated.</summary>
    public required IReadOnlyList<GlueScore> Scores { get; init; }

    /// <summary>The file it was read from; null for one that was not. Not kept in the file, so that folders can be moved.</summary>
    [JsonIgnore]
    public string? Path { get; init; }

    /// <summary>What is fixed about its task.</summary>
    [JsonIgnore]
    public GlueTaskInfo Info => GlueTasks.Parse(Task);

    /// <summary>Writes <c>result.json</c> into <paramref name="folder"/>, whole or not at all.</summary>
    public void Save(string folder) =>
        AtomicFile.WriteText(System.IO.Path.Combine(folder, FileName), JsonSerializer.Serialize(this, ReportJson.Document) + "\n");

    /// <summary>Reads a result.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="RefusedException">It does not exist, or it is not a fine-tuning result.</exception>
    public static GlueResult Load(string path)
    {
        if (!File.Exists(path))
        {
            throw new RefusedException($"{path} does not exist: expected the result of a fine-tuning that has ended.");
        }

        try
        {
            if (new FileInfo(path).Length is > MaxBytes and var bytes)
            {
                throw new RefusedException($"{path} is not a fine-tuning result: {bytes:N0} bytes, expected at most {MaxBytes:N0}.");
            }

            var result = JsonSerializer.Deserialize<GlueResult>(File.ReadAllText(path), ReportJson.Document)
                ?? throw new JsonException("the file holds null");
            return Fault(result) is { } fault
                ? throw new RefusedException($"{path} is not a fine-tuning result: {fault}.")
                : result with { Path = path };
        }
        catch (JsonException e)
        {
            throw new RefusedException($"{path} is not a fine-tuning result: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path} cannot be read: {e.Message}", e);
        }
    }

    private static string? Fault(GlueResult result)
    {
        if (result.Run is null || result.Method is null || result.Kernel is null || result.Checkpoint is null)
        {
            return "a name in it is null";
        }

        if (GlueTasks.All.FirstOrDefault(task => task.Name == result.Task) is not { } info)
        {
            return $"'{result.Task}' is not a GLUE task";
        }

        return result.Scores is { Count: > 0 } scores
            ? scores.Select(score => Fault(info, score)).FirstOrDefault(fault => fault is not null)
            : "it has no scores";
    }

    private static string? Fault(GlueTaskInfo info, GlueScore? score)
    {
        if (score?.Split is null || score.All is null || score.Task != info.Name)
        {
            return $"a score in it is not one of {info.Name}";
        }

        var target = GlueMetric.Target(info.Task);
        if (score.Metric != target || !score.All.ContainsKey(target) || !double.IsFinite(score.Value) || score.Rows < 1)
        {
            return $"the score of {score.Split} has no {target}";
        }

        return score.Confusion is { } matrix && (matrix.Length != info.Outputs || matrix.Any(row => row?.Length != info.Outputs))
            ? $"the confusion matrix of {score.Split} is not {info.Outputs} × {info.Outputs}"
            : null;
    }
}
