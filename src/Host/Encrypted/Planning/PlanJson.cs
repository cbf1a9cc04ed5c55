using System.Text.Json;
using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.He.Wire;
using ActorTrainer.Host.Reports;

namespace ActorTrainer.Host.Encrypted.Planning;

/// <summary>A plan as <c>plan.json</c>: everything that the tables say, in bytes and seconds.</summary>
internal static class PlanJson
{
    /// <summary>The document.</summary>
    public static string Of(PlanReport report)
    {
        var (plan, speed) = (report.Plan, report.Speed);
        return JsonSerializer.Serialize(new
        {
            Version = 1,
            report.Name,
            report.Task,
            report.Sources,
            Set = plan.Parameters.Name,
            Arch = new { report.Recipe.Arch.Layers, report.Recipe.Arch.Hidden, report.Recipe.Arch.Heads, report.Recipe.Arch.FeedForward },
            Packing = new { plan.Packing.Tokens, plan.Packing.Batch, plan.Packing.Hidden.Ciphertexts },
            plan.Levels,
            MicroBatchBytes = PlanText.MicroBatchBytes(plan),
            report.MicroBatches,
            Speed = new
            {
                speed.Cores,
                Threads = speed.Costs.Parallelism,
                speed.CacheBytes,
                OwnerCores = speed.Owner.Cores,
                NetworkBytesPerSecond = speed.Owner.BytesPerSecond,
                RefreshSecondsLow = speed.Owner.Low,
                RefreshSecondsHigh = speed.Owner.High,
            },
            Refreshes = plan.Refreshes(report.MicroBatches),
            Operations = plan.Counts(report.MicroBatches).GroupBy(entry => entry.Key.Operation).ToDictionary(group => $"{group.Key}", group => group.Sum(entry => entry.Value)),
            Keys = plan.Keys.Select(key => new { key.Element, key.Level }),
            KeyFileBytes = WireSize.EvaluationKeys(plan.Parameters, plan.Keys),
            Units = report.Distinct.Select(entry => new
            {
                entry.Unit.Name,
                Alike = entry.Count,
                Blocks = entry.Unit.Blocks.Select(block => new
                {
                    Pass = $"{block.Pass}",
                    block.Name,
                    block.Highest,
                    block.Lowest,
                    block.Refreshes,
                    block.Operations,
                    block.KeySwitches,
                    Seconds = block.Seconds(speed.Costs, 0) * speed.Factor,
                    SecondsCached = block.Seconds(speed.Costs, 1) * speed.Factor,
                }),
                entry.Unit.Moments,
            }),
            Cut = Forecast(report.Cut),
            Nodes = report.Nodes.Select(Forecast),
        }, ReportJson.Document) + "\n";

        object Forecast(StepForecast forecast) => new
        {
            forecast.Nodes,
            forecast.Seconds,
            forecast.Bubble,
            forecast.OwnerSeconds,
            forecast.Owner,
            StageBytes = forecast.StageBytes(report.MicroBatches),
            Stages = forecast.Stages.Select((stage, s) => new
            {
                Units = stage.Units.Select(unit => unit.Name),
                Keys = stage.Keys.Count,
                stage.KeyBytes,
                stage.CiphertextBytes,
                stage.DiagonalBytes,
                stage.HeldBytes,
                stage.Bytes,
                stage.BytesOn,
                stage.BytesBack,
                Seconds = forecast.Compute[s],
            }),
        };
    }
}
