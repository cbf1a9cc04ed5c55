using ActorTrainer.Actors.Protocol;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Chaos;

/// <summary>Compares what two clusters have left: the undisturbed run's and the disturbed one's.</summary>
internal static class ChaosVerdict
{
    /// <summary>All checks of a disturbed run, and the table with its digests compared.</summary>
    /// <param name="outcome">How the disturbed run ended.</param>
    /// <param name="steps">Steps it should have done.</param>
    /// <param name="undisturbed">Folder of the undisturbed cluster.</param>
    /// <param name="disturbed">Folder of the disturbed one.</param>
    /// <param name="name">Name of both runs.</param>
    /// <param name="planned">Faults of the plan.</param>
    /// <param name="faults">Those that were done.</param>
    /// <param name="running">Processes of nodes that still run.</param>
    public static (IReadOnlyList<ChaosCheck> Checks, IReadOnlyList<Survival> Faults) Of(
        RunProtocol.Outcome outcome, long steps, string undisturbed, string disturbed, string name, int planned, IReadOnlyList<Survival> faults,
        IReadOnlyList<int> running)
    {
        var checks = new List<ChaosCheck>
        {
            new("the run completed", outcome.Kind == OutcomeKind.Completed && outcome.Step == steps, $"{outcome.Kind} at step {outcome.Step} of {steps}: {outcome.Message}"),
            new("every fault was done and got over", faults.Count == planned && faults.All(f => f.RecoveredSeconds is not null),
                $"{faults.Count(f => f.RecoveredSeconds is not null)} of {planned}"
                + (faults.Count < planned ? "; the run was over before the others came: take more steps, or larger ones (train.batch_size)" : "")),
        };
        var (digests, first) = Digests(undisturbed, disturbed, name, steps);
        checks.Add(digests);
        var (before, after) = (ClusterAudit.Of(undisturbed), ClusterAudit.Of(disturbed));
        checks.Add(States(before, after, steps));
        checks.Add(new ChaosCheck("no process is left", running.Count == 0, Some(running.Select(id => $"process {id}"))));
        checks.Add(new ChaosCheck("no half-written file is left", after.Temporary.Count == 0, Some(after.Temporary)));
        checks.Add(new ChaosCheck("no object is left that no checkpoint names", after.Orphans.Count == 0, Some(after.Orphans)));
        return (checks, [.. faults.Select((fault, i) => fault with
        {
            DigestsEqual = digests.Ok ? true : first is { } step ? step > (i + 1 < faults.Count ? faults[i + 1].AtStep : steps) : null,
        })]);
    }

    private static (ChaosCheck Check, long? FirstDifference) Digests(string undisturbed, string disturbed, string name, long steps)
    {
        const string What = "digests of all steps equal those of the undisturbed run";
        var (a, b) = (Path.Combine(undisturbed, "digests"), Path.Combine(disturbed, "digests"));
        try
        {
            ClusterAudit.MergeDigests(ChaosSession.RunFolders(undisturbed, name), a);
            if (ClusterAudit.MergeDigests(ChaosSession.RunFolders(disturbed, name), b) is { Count: > 0 } split)
            {
                return (new ChaosCheck(What, false, $"two coordinators computed step {split[0]} differently"), split[0]);
            }

            var comparison = CompareRuns.Compare(a, b);
            var missing = comparison.OnlyA.Count + comparison.OnlyB.Count;
            var text = new StringWriter();
            CompareRuns.Print(comparison, text);
            return comparison.First is { } first
                ? (new ChaosCheck(What, false, $"they differ first after step {first.Step}, layer {first.Layer}, {first.Part}"), first.Step)
                : (new ChaosCheck(What, missing == 0 && comparison.Compared.Count == steps, $"{comparison.Compared.Count} of {steps} steps, {comparison.Layers} layers"), null);
        }
        catch (RefusedException e)
        {
            return (new ChaosCheck(What, false, e.Message), null);
        }
    }

    private static ChaosCheck States(ClusterAudit before, ClusterAudit after, long steps)
    {
        const string What = "the final unit states are the same";
        if (before.Last is not { } a || after.Last is not { } b)
        {
            return new ChaosCheck(What, false, "a run has left no checkpoint");
        }

        var differing = a.Units.Where(unit => b.Units.GetValueOrDefault(unit.Key) != unit.Value).Select(unit => unit.Key).ToList();
        return new ChaosCheck(
            What, a.Step == steps && b.Step == steps && differing.Count == 0 && a.Units.Count == b.Units.Count,
            differing.Count > 0 ? $"different: {string.Join(", ", differing)}" : $"{b.Units.Count} units of step {b.Step}, undisturbed of step {a.Step}");
    }

    private static string Some(IEnumerable<string> found)
    {
        var all = found.ToList();
        return all.Count > 3 ? $"{string.Join(", ", all.Take(3))} and {all.Count - 3} more" : string.Join(", ", all);
    }
}
