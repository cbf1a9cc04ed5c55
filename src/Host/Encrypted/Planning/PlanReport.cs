using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Planning;

namespace ActorTrainer.Host.Encrypted.Planning;

/// <summary>All that a plan tells.</summary>
internal sealed record PlanReport
{
    /// <summary>The run's name.</summary>
    public required string Name { get; init; }

    /// <summary>What is trained.</summary>
    public required EncryptedRecipe Recipe { get; init; }

    /// <summary>Name of the task.</summary>
    public required string Task { get; init; }

    /// <summary>Where weights, polynomials and costs come from.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    public required ModelPlan Plan { get; init; }

    public required NodeSpeed Speed { get; init; }

    /// <summary>Micro-batches of a step.</summary>
    public required int MicroBatches { get; init; }

    /// <summary>The cut that the configuration asks for.</summary>
    public required StepForecast Cut { get; init; }

    /// <summary>Other numbers of nodes, ascending.</summary>
    public required IReadOnlyList<StepForecast> Nodes { get; init; }

    /// <summary>Units that are alike one after the other, as one entry each.</summary>
    public IReadOnlyList<(string Label, PlannedUnit Unit, int Count)> Distinct
    {
        get
        {
            var result = new List<(PlannedUnit First, PlannedUnit Last, int Count)>();
            foreach (var unit in Plan.Units)
            {
                if (result.Count > 0 && Alike(result[^1].First, unit))
                {
                    result[^1] = (result[^1].First, unit, result[^1].Count + 1);
                }
                else
                {
                    result.Add((unit, unit, 1));
                }
            }

            return [.. result.Select(run => (run.Count == 1 ? run.First.Name : $"{run.First.Name} to {run.Last.Name}, each", run.First, run.Count))];
        }
    }

    private static bool Alike(PlannedUnit a, PlannedUnit b) => ReferenceEquals(a.Blocks, b.Blocks) || (a.Blocks.Count == b.Blocks.Count && a.Blocks.Index().All(entry => Same(entry.Item, b.Blocks[entry.Index])));

    private static bool Same(PlannedBlock a, PlannedBlock b) => a.Name == b.Name && a.Pass == b.Pass && Same(a.Counts, b.Counts) && Same(a.Lifts, b.Lifts);

    private static bool Same<TKey>(IReadOnlyDictionary<TKey, long> a, IReadOnlyDictionary<TKey, long> b) => a.Count == b.Count && a.All(entry => b.TryGetValue(entry.Key, out var count) && count == entry.Value);
}
