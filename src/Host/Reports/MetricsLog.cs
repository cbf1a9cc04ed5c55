using System.Text.Json;
using System.Text.Json.Nodes;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Reports;

/// <summary>
/// Writes <c>metrics.jsonl</c> (one object per step and per evaluation, told apart by <c>type</c>: <c>step</c> or
/// <c>eval</c>) and <c>digests.jsonl</c> (one object per digested step). When a run goes back to an earlier step, the lines
/// of the steps that it runs again are removed, so each file tells one straight story however often the run was killed.
/// </summary>
public sealed class MetricsLog : RunObserver, IDisposable
{
    public const string MetricsFile = "metrics.jsonl";

    public const string DigestsFile = "digests.jsonl";

    private readonly StepLines _metrics;
    private readonly StepLines _digests;

    /// <summary>Goes on with the files of a run's folder, or makes them.</summary>
    /// <exception cref="RefusedException">An existing file has a line that no run wrote.</exception>
    public MetricsLog(string folder)
    {
        _metrics = new StepLines(Path.Combine(folder, MetricsFile));
        _digests = new StepLines(Path.Combine(folder, DigestsFile));
    }

    public override void OnAttempt(int attempt, long fromStep)
    {
        _metrics.DropAfter(fromStep);
        _digests.DropAfter(fromStep);
    }

    public override void OnStep(StepMetrics step) => _metrics.Append(Line("step", step));

    public override void OnEvaluation(EvaluationMetrics evaluation) => _metrics.Append(Line("eval", evaluation));

    public override void OnDigest(long step, IReadOnlyList<LayerDigest> layers) =>
        _digests.Append(new JsonObject { ["step"] = step, ["layers"] = JsonSerializer.SerializeToNode(layers, ReportJson.Line) });

    public void Dispose()
    {
        _metrics.Dispose();
        _digests.Dispose();
    }

    private static JsonObject Line<T>(string type, T value)
    {
        var line = JsonSerializer.SerializeToNode(value, ReportJson.Line)!.AsObject();
        line.Insert(0, "type", type);
        return line;
    }
}
