using System.Globalization;
using System.Text;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Chaos;

/// <summary>Times recoveries of one kind again and again.</summary>
/// <param name="driver">Does the faults.</param>
/// <param name="stages">Names of the stage nodes.</param>
/// <param name="seed">Which node comes next is drawn with it.</param>
internal sealed class RecoveryBench(ChaosDriver driver, IReadOnlyList<string> stages, ulong seed)
{
    /// <summary>A node that is kept away this long has not come back by the time the run must have recovered.</summary>
    private static readonly TimeSpan Never = TimeSpan.FromSeconds(20);

    /// <summary>Times kills, and then absences.</summary>
    /// <param name="kills">Kills after which the supervisor starts the node again.</param>
    /// <param name="absences">Nodes that do not come back; a spare stands in.</param>
    /// <param name="cancellation">Ends it early.</param>
    public async Task<IReadOnlyList<Survival>> Measure(int kills, int absences, CancellationToken cancellation)
    {
        var done = new List<Survival>();
        for (var i = 0; i < kills + absences; i++)
        {
            var random = CounterRandom.Of(seed, RandomPurpose.Faults, -1, i);
            var node = stages[random.NextInt(stages.Count)];
            var at = driver.Watch.Committed + FaultPlan.Spacing + random.NextInt(3);
            var fault = i < kills
                ? new Fault(i + 1, FaultKind.KillStage, at, [node], TimeSpan.Zero)
                : new Fault(i + 1, FaultKind.Hold, at, [node], Never);
            if (await driver.One(fault, cancellation).ConfigureAwait(false) is not { } survival)
            {
                break;
            }

            done.Add(survival);
        }

        return done;
    }

    /// <summary>Median, least and most of each kind, as a table for documents. Faults that the attempt survived (a spare was hit) are counted apart.</summary>
    public static string Table(IReadOnlyList<Survival> faults)
    {
        var text = new StringBuilder("| fault | times | noticed, median s | next commit, median s | least | most | the run did not notice |\n|---|---:|---:|---:|---:|---:|---:|\n");
        foreach (var kind in faults.GroupBy(fault => fault.Fault))
        {
            var noticed = kind.Where(fault => fault is { DetectedSeconds: not null, RecoveredSeconds: not null }).ToList();
            var recovered = noticed.Select(fault => fault.RecoveredSeconds!.Value).Order().ToList();
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {kind.Key} | {noticed.Count} | {Median([.. noticed.Select(fault => fault.DetectedSeconds!.Value)]):0.0} | {Median(recovered):0.0} | {recovered.FirstOrDefault(double.NaN):0.0} | {recovered.LastOrDefault(double.NaN):0.0} | {kind.Count() - noticed.Count} |\n");
        }

        return text.ToString();
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values.Count == 0 ? double.NaN : (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
    }
}
