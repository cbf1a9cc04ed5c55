using ActorTrainer.He.Backends;
using ActorTrainer.He.Planning;

namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>Ciphertexts that are refreshed with one request of the program.</summary>
/// <param name="From">Level at which they are sent.</param>
/// <param name="To">Level to which they are lifted.</param>
/// <param name="Count">How many.</param>
/// <param name="Iterations">How often stages bootstrap for it; 0: the owner lifts.</param>
public readonly record struct PlannedLift(int From, int To, int Count, int Iterations = 0)
{
    public bool IsOwners => Iterations == 0;
}

/// <summary>What one block of a unit takes each time that its pass is done.</summary>
public sealed record PlannedBlock
{
    /// <summary>E.g. norm1, attention, ffn, loss, optimiser: see <see cref="PlanBlocks"/>.</summary>
    public required string Name { get; init; }

    public required PlanPass Pass { get; init; }

    /// <summary>Operations by kind and level.</summary>
    public required IReadOnlyDictionary<(Operation Operation, int Level), long> Counts { get; init; }

    /// <summary>Requests for refreshes, and how often each is made.</summary>
    public required IReadOnlyDictionary<PlannedLift, long> Lifts { get; init; }

    /// <summary>Operations of all kinds.</summary>
    public long Operations => Counts.Values.Sum();

    /// <summary>Products with evaluation keys, which are most of the work.</summary>
    public long KeySwitches => Counts.Where(entry => entry.Key.Operation is Operation.Relinearise or Operation.Rotate or Operation.RotateRaised or Operation.RotateUndivided).Sum(entry => entry.Value);

    /// <summary>Seconds of what stages bootstrap.</summary>
    /// <param name="bootstraps">Of one request of so many ciphertexts.</param>
    public double BootstrapSeconds(Func<int, double> bootstraps) => Lifts.Where(entry => !entry.Key.IsOwners).Sum(entry => entry.Value * entry.Key.Iterations * bootstraps(entry.Key.Count));

    /// <summary>Ciphertexts refreshed.</summary>
    public long Refreshes => Lifts.Sum(entry => entry.Key.Count * entry.Value);

    /// <summary>The highest level computed at; −1 where nothing is computed.</summary>
    public int Highest => Counts.Keys.Select(key => key.Level).DefaultIfEmpty(-1).Max();

    /// <summary>The lowest level that is left; −1 where nothing is computed.</summary>
    public int Lowest => Counts.Keys.Select(key => key.Operation == Operation.Rescale ? key.Level - 1 : key.Level).DefaultIfEmpty(-1).Min();

    /// <summary>Predicted seconds of the operations; refreshes are the owner's.</summary>
    /// <param name="held">Share, 0 to 1, of encoded diagonals that a cache holds.</param>
    public double Seconds(OperationCosts costs, double held) => Counts.Sum(entry => entry.Value * costs.Seconds(entry.Key.Operation, entry.Key.Level, held));
}
