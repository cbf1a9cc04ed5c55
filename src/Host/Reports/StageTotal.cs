using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Host.Reports;

/// <summary>Time of one stage of an encrypted run over its steps.</summary>
/// <param name="Stage">0-based.</param>
/// <param name="ComputeSeconds">Inside instructions, without waits for the data owner.</param>
/// <param name="OwnerSeconds">Those waits, until answers are back.</param>
/// <param name="Refreshed">Ciphertexts refreshed.</param>
public sealed record StageTotal(int Stage, double ComputeSeconds, double OwnerSeconds, long Refreshed)
{
    /// <summary>Sums over steps; null where no stage waited for anybody.</summary>
    public static IReadOnlyList<StageTotal>? Of(IEnumerable<StepMetrics> steps)
    {
        var loads = steps.SelectMany(step => step.Stages).ToLookup(load => load.Stage);
        return loads.SelectMany(stage => stage).All(load => load.Refreshed == 0)
            ? null
            : [.. loads.OrderBy(stage => stage.Key).Select(stage => new StageTotal(stage.Key, stage.Sum(load => load.Computed), stage.Sum(load => load.Waited), stage.Sum(load => load.Refreshed)))];
    }
}
