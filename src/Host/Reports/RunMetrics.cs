using System.Text.Json;
using System.Text.Json.Nodes;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Reports;

/// <summary>What a run's folder tells about its steps.</summary>
/// <param name="Steps">Ascending, one per step.</param>
/// <param name="Evaluations">Ascending, one per evaluated step.</param>
public sealed record RunMetrics(IReadOnlyList<StepMetrics> Steps, IReadOnlyList<EvaluationMetrics> Evaluations)
{
    /// <summary>Reads <c>metrics.jsonl</c>, also while its run goes on; a folder without one has no steps.</summary>
    /// <exception cref="RefusedException">The file has a line that no run wrote.</exception>
    public static RunMetrics Read(string folder)
    {
        var path = Path.Combine(folder, MetricsLog.MetricsFile);
        var steps = new SortedDictionary<long, StepMetrics>();
        var evaluations = new SortedDictionary<long, EvaluationMetrics>();
        foreach (var (step, line) in StepLines.Read(path))
        {
            switch ((string?)line["type"])
            {
                case "step":
                    steps[step] = Parse<StepMetrics>(path, step, line);
                    break;
                case "eval":
                    // A step may be evaluated again after a kill; the last evaluation counts.
                    evaluations[step] = Parse<EvaluationMetrics>(path, step, line);
                    break;
            }
        }

        return new RunMetrics([.. steps.Values], [.. evaluations.Values]);
    }

    /// <summary>Reads <c>digests.jsonl</c>: step → digests of the layers in model order; empty when there is none.</summary>
    /// <exception cref="RefusedException">The file has a line that no run wrote.</exception>
    public static SortedDictionary<long, IReadOnlyList<LayerDigest>> ReadDigests(string folder)
    {
        var path = Path.Combine(folder, MetricsLog.DigestsFile);
        var digests = new SortedDictionary<long, IReadOnlyList<LayerDigest>>();
        foreach (var (step, line) in StepLines.Read(path))
        {
            digests[step] = Parse<List<LayerDigest>>(path, step, line["layers"]);
        }

        return digests;
    }

    private static T Parse<T>(string path, long step, JsonNode? node)
    {
        try
        {
            return node.Deserialize<T>(ReportJson.Line) ?? throw new JsonException("a value is missing");
        }
        catch (JsonException e)
        {
            throw new RefusedException($"{path}, step {step}: {e.Message} Remove the line or the file.", e);
        }
    }
}
