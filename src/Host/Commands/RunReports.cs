using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Reports;
using ActorTrainer.Host.Views;

namespace ActorTrainer.Host.Commands;

/// <summary>What a run leaves for people: summary, picture, trace, and a few lines.</summary>
internal static class RunReports
{
    /// <summary>Writes the files and prints where they are.</summary>
    /// <param name="elsewhere">True: the model is on another node, where its path belongs.</param>
    public static void Write(
        TextWriter output, RunConfiguration run, string folder, double? bubble, IReadOnlyList<StageSpan> spans, RunProtocol.Outcome outcome, bool elsewhere)
    {
        var metrics = RunMetrics.Read(folder);
        var summary = RunSummary.Of(run.Name, metrics, bubble, outcome.Export.Length > 0 ? outcome.Export : null);
        summary.Save(folder);
        output.WriteLine();
        output.WriteLine($"{run.Name}: {outcome.Message}");
        if (metrics.Steps.Count > 0)
        {
            LossCurve.SavePng(Path.Combine(folder, "loss.png"), metrics.Steps, metrics.Evaluations, run.Name);
            output.WriteLine($"  training loss   {Format.Loss(metrics.Steps[0])} at step {metrics.Steps[0].Step:N0} → {Format.Loss(metrics.Steps[^1])} at step {metrics.Steps[^1].Step:N0}, {summary.TokensPerSecond:N0} tokens/s");
        }

        if (metrics.Evaluations.Count > 0)
        {
            var last = metrics.Evaluations[^1];
            output.WriteLine($"  held-out loss   {last.Loss:F3} nats; unigram entropy of the same {last.MaskedTokens:N0} tokens {last.UnigramEntropy:F3}: {Math.Abs(last.UnigramEntropy - last.Loss):F3} {(last.Loss <= last.UnigramEntropy ? "below" : "above")}, accuracy {last.Accuracy:P1}");
        }

        if (spans.Count > 0)
        {
            PerfettoTrace.Write(Path.Combine(folder, "trace.json"), spans);
        }

        if (outcome.Export.Length > 0)
        {
            output.WriteLine($"  model           {(elsewhere ? outcome.Export + " on the coordinator's node" : Path.GetRelativePath(Environment.CurrentDirectory, outcome.Export))}");
        }

        if (metrics.Steps.Count == 0)
        {
            return;
        }

        output.WriteLine($"  loss curve      {Path.Combine(folder, "loss.png")}");
        output.WriteLine($"  metrics         {Path.Combine(folder, "metrics.jsonl")}, summary.json, trace.json (open in Perfetto)");
    }
}
