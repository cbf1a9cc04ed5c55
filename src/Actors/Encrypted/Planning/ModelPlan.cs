using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>What each unit of an encrypted model takes, and at which levels the owner encrypts.</summary>
public sealed record ModelPlan
{
    /// <summary>Most rounds, beyond one for each unit, until levels between units are settled; two are usual.</summary>
    private const int Rounds = 6;

    /// <summary>Rounds in which bootstraps are placed: in the first for the lowest levels between units, then for about those that they will have.</summary>
    private const int Placing = 2;

    /// <summary>Most units that are kept from one round to the next; more are built anew.</summary>
    private const int Kept = 2;

    public required CkksParameters Parameters { get; init; }

    public required Packing Packing { get; init; }

    /// <summary>Classes, or 1.</summary>
    public required int Outputs { get; init; }

    /// <summary>Levels at which the owner encrypts, so that nothing has to be refreshed before its first use.</summary>
    public required EncryptionLevels Levels { get; init; }

    /// <summary>Layers in order, then the head.</summary>
    public required IReadOnlyList<PlannedUnit> Units { get; init; }

    /// <summary>Exactly the evaluation keys of all units.</summary>
    public IReadOnlyList<KeyRequest> Keys => Union(Units);

    /// <summary>Each key up to the highest level that any of the units uses it at.</summary>
    public static IReadOnlyList<KeyRequest> Union(IEnumerable<PlannedUnit> units) =>
        KeyRequest.Union(units.SelectMany(unit => unit.Keys));

    /// <summary>Plans a model unit by unit: one at a time is in memory, and units that are alike are planned once.</summary>
    /// <param name="units">Names of the layers in order, then the head.</param>
    /// <param name="alike">Units of the same text have the same program; those of weights of their own have a text of their own.</param>
    /// <param name="build">Makes a unit; called anew where it is not kept.</param>
    /// <param name="outputs">Of the head.</param>
    /// <param name="costs">For the times of refreshes within passes.</param>
    /// <param name="refreshing">Who refreshes; null for the owner. Where bootstraps are not placed yet, they are by cost.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="RefusedException">A unit takes more levels than there are.</exception>
    public static ModelPlan Of(
        CkksParameters parameters, Packing packing, IReadOnlyList<string> units, Func<string, string> alike, Func<string, EncryptedUnit> build, int outputs,
        OperationCosts? costs = null, Refreshing? refreshing = null, CancellationToken stop = default)
    {
        var how = refreshing ?? new Refreshing(RefreshKind.Owner, parameters);
        var places = how.Bootstraps && !how.IsPlaced;
        var few = units.Select(alike).Distinct().Count() <= Kept;
        var made = new Dictionary<string, EncryptedUnit>();
        var boundaries = units.Select((_, i) => new UnitBoundary(how.Floor, how.Floor, how.Floor, how.Floor, i > 0)).ToArray();
        var placed = new Dictionary<(string, bool), IReadOnlyDictionary<string, int>>();
        var planned = new Dictionary<(string, UnitBoundary), (PlannedUnit Plan, EncryptionLevels Wanted)>();
        for (var round = 0; round < Rounds + units.Count; round++)
        {
            if (places && round < Placing)
            {
                placed.Clear();
                planned.Clear();
            }

            var found = units.Select((name, i) =>
            {
                stop.ThrowIfCancellationRequested();
                if (!planned.TryGetValue((alike(name), boundaries[i]), out var plan))
                {
                    planned.Add((alike(name), boundaries[i]), plan = Run(name, boundaries[i]));
                }

                return (Plan: plan.Plan.Called(name), plan.Wanted);
            }).ToArray();
            var levels = new EncryptionLevels(
                Math.Max(boundaries[0].Input, found[0].Wanted.Inputs), Math.Max(boundaries[0].Masks, found.Max(unit => unit.Wanted.Masks)),
                Math.Max(boundaries[^1].Targets, found[^1].Wanted.Targets));
            UnitBoundary[] next =
            [
                .. units.Select((_, i) => new UnitBoundary(
                    i == 0 ? levels.Inputs : found[i - 1].Plan.Output, levels.Masks, levels.Targets, i == units.Count - 1 ? how.Floor : found[i + 1].Plan.Gradient, i > 0)),
            ];
            if (next.SequenceEqual(boundaries))
            {
                return new ModelPlan
                {
                    Parameters = parameters,
                    Packing = packing,
                    Outputs = outputs,
                    Levels = levels,
                    Units = [.. found.Select(unit => unit.Plan)],
                };
            }

            boundaries = next;
        }

        throw new InvalidOperationException($"Levels between units did not settle in {Rounds + units.Count} rounds.");

        (PlannedUnit, EncryptionLevels) Run(string name, UnitBoundary at)
        {
            if (!made.TryGetValue(alike(name), out var unit))
            {
                unit = build(name);
                if (few)
                {
                    made.Add(alike(name), unit);
                }
            }

            try
            {
                return UnitPlanner.Run(parameters, unit, packing, outputs, at, costs, places ? Placed(name, unit, at) : how);
            }
            catch (MisuseException e)
            {
                throw new RefusedException($"{name} does not fit {parameters.Name}: {e.Message} Take a set with more levels (he.set), or functions of narrower domains.", e);
            }
        }

        Refreshing Placed(string name, EncryptedUnit unit, UnitBoundary at)
        {
            if (!placed.TryGetValue((alike(name), at.WantsInput), out var reach))
            {
                reach = UnitPlanner.Place(parameters, unit, packing, outputs, at, how).ToDictionary(entry => entry.Key[unit.Name.Length..], entry => entry.Value);
                placed.Add((alike(name), at.WantsInput), reach);
            }

            return how.With(site => reach.GetValueOrDefault(site[unit.Name.Length..]));
        }
    }

    /// <summary>Operations of a step.</summary>
    public IReadOnlyDictionary<(Operation Operation, int Level), long> Counts(int microBatches) =>
        Units.SelectMany(unit => unit.Counts(microBatches)).GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value));

    /// <summary>Ciphertexts refreshed in a step.</summary>
    public long Refreshes(int microBatches) => Units.Sum(unit => unit.Refreshes(microBatches));
}
