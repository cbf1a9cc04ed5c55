using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Reports;

/// <summary>How a run ended, as <c>summary.json</c> keeps it.</summary>
public sealed record RunSummary
{
    public const string FileName = "summary.json";

    public required string Name { get; init; }

    /// <summary>Committed optimiser steps.</summary>
    public required long Steps { get; init; }

    /// <summary>Tokens seen in those steps.</summary>
    public required long Tokens { get; init; }

    /// <summary>Seconds inside those steps, over all attempts; evaluation, checkpoints and repeated steps not counted.</summary>
    public required double Seconds { get; init; }

    /// <summary>Tokens / Seconds.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>MLM loss of the last step, nats.</summary>
    public required double? FinalLoss { get; init; }

    public required EvaluationMetrics? LastEvaluation { get; init; }

    /// <summary>Evaluation with the lowest loss.</summary>
    public required EvaluationMetrics? BestEvaluation { get; init; }

    /// <summary>Steps whose update was skipped because of a non-finite loss or norm.</summary>
    public required int SkippedSteps { get; init; }

    /// <summary>Measured idle share of the stages, in [0, 1].</summary>
    public required double? BubbleMeasured { get; init; }

    /// <summary>Idle share by the schedule's formula, in [0, 1].</summary>
    public required double? BubbleFormula { get; init; }

    /// <summary>Stages of an encrypted run, whose waits for the data owner stand apart; null: nobody was waited for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<StageTotal>? Stages { get; init; }

    /// <summary>Times the run was started or went on after a failure.</summary>
    public required int Attempts { get; init; }

    /// <summary>Exported model folder, null when there is none.</summary>
    public required string? Checkpoint { get; init; }

    /// <summary>Sums up a run's metrics.</summary>
    /// <param name="bubbleFormula">Idle share by the schedule's formula; null where none applies.</param>
    /// <param name="attempts">Times the run was started or went on; null: the highest attempt among the steps.</param>
    public static RunSummary Of(
        string name, RunMetrics metrics, double? bubbleFormula = null, string? checkpoint = null, int? attempts = null)
    {
        var last = metrics.Steps.Count > 0 ? metrics.Steps[^1] : null;
        var seconds = metrics.Steps.Sum(s => s.Seconds);
        var tokens = metrics.Steps.Sum(s => s.Tokens);
        return new RunSummary
        {
            Name = name,
            Steps = last?.Step ?? 0,
            Tokens = last?.TotalTokens ?? 0,
            Seconds = seconds,
            TokensPerSecond = seconds > 0 ? tokens / seconds : 0,
            FinalLoss = last?.Loss,
            LastEvaluation = metrics.Evaluations.LastOrDefault(),
            BestEvaluation = metrics.Evaluations.Where(e => double.IsFinite(e.Loss)).MinBy(e => e.Loss),
            SkippedSteps = metrics.Steps.Count(s => s.Skipped),
            BubbleMeasured = Bubble.Measured(metrics.Steps.SelectMany(s => s.Stages)),
            BubbleFormula = bubbleFormula,
            Stages = StageTotal.Of(metrics.Steps),
            Attempts = attempts ?? metrics.Steps.Select(s => s.Attempt).DefaultIfEmpty(0).Max(),
            Checkpoint = checkpoint,
        };
    }

    /// <summary>Writes <c>summary.json</c> into <paramref name="folder"/>, whole or not at all.</summary>
    public void Save(string folder) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, ReportJson.Document) + "\n");

    /// <summary>Reads the summary of a run's folder.</summary>
    /// <exception cref="RefusedException">There is none, or it is not a summary.</exception>
    public static RunSummary Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new RefusedException($"{path} does not exist: the run has not ended yet, or the folder is not a run's.");
        }

        try
        {
            return JsonSerializer.Deserialize<RunSummary>(File.ReadAllText(path), ReportJson.Document)
                ?? throw new JsonException("the file holds null");
        }
        catch (JsonException e)
        {
            throw new RefusedException($"{path} is not a run's summary: {e.Message}", e);
        }
    }
}
