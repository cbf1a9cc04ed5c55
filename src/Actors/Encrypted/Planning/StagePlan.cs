using ActorTrainer.Actors.Schedules;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Wire;
using ActorTrainer.Model.Stages;

namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>What one stage of a cut holds, sends and receives.</summary>
public sealed record StagePlan
{
    /// <summary>Its units, in order.</summary>
    public required IReadOnlyList<PlannedUnit> Units { get; init; }

    /// <summary>The evaluation keys that it needs, each up to its level.</summary>
    public required IReadOnlyList<KeyRequest> Keys { get; init; }

    /// <summary>Memory of the keys.</summary>
    public required long KeyBytes { get; init; }

    /// <summary>The most memory of ciphertexts: learned weights, micro-batches under way, and the work of the largest unit.</summary>
    public required long CiphertextBytes { get; init; }

    /// <summary>Memory that all encoded diagonals would take.</summary>
    public required long DiagonalBytes { get; init; }

    /// <summary>Memory of those that the cache holds.</summary>
    public required long HeldBytes { get; init; }

    /// <summary>Bytes to the next stage for a micro-batch: activation and masks; 0 from the last.</summary>
    public required long BytesOn { get; init; }

    /// <summary>Bytes to the stage before for a micro-batch: a gradient; 0 from the first.</summary>
    public required long BytesBack { get; init; }

    /// <summary>Memory of keys, ciphertexts and held diagonals, and what is kept free for the next.</summary>
    public long Bytes => KeyBytes + CiphertextBytes + HeldBytes + LimbPool.Kept(KeyBytes + CiphertextBytes + HeldBytes);

    /// <summary>Share, 0 to 1, of encoded diagonals that the cache holds.</summary>
    public double Held => DiagonalBytes == 0 ? 1 : (double)HeldBytes / DiagonalBytes;

    /// <summary>The stages of a cut.</summary>
    /// <param name="partition">Of the plan's units.</param>
    /// <param name="kind">GPipe or 1F1B: decides how many micro-batches a stage holds.</param>
    /// <param name="microBatches">Of a step.</param>
    /// <param name="cacheBytes">For encoded diagonals of a stage.</param>
    /// <param name="keyBytes">For its keys; null: as much as they take.</param>
    public static IReadOnlyList<StagePlan> Cut(ModelPlan plan, StagePartition partition, ScheduleKind kind, int microBatches, long cacheBytes, long? keyBytes) =>
        [.. partition.Parts.Select((part, s) => Of(plan, part, s, partition.Parts.Count, ScheduleMath.MaxInFlight(kind, s, partition.Parts.Count, microBatches), cacheBytes, keyBytes))];

    private static StagePlan Of(ModelPlan plan, UnitRange part, int stage, int stages, int inFlight, long cacheBytes, long? keyBytes)
    {
        PlannedUnit[] units = [.. plan.Units.Skip(part.First).Take(part.Count)];
        var (parameters, limb, keys) = (plan.Parameters, Planner.LimbBytes(plan.Parameters), ModelPlan.Union(units));
        var (layers, head) = (units.Where(unit => unit.Name != "head"), units.Where(unit => unit.Name == "head"));
        // Masks of shifts are the same for all layers; the head has only those of packs.
        var masks = layers.Select(unit => unit.MaskDiagonalLimbs).DefaultIfEmpty(0).Max() + head.Sum(unit => unit.MaskDiagonalLimbs);
        var diagonals = limb * (masks + units.Sum(unit => unit.WeightDiagonalLimbs));
        return new StagePlan
        {
            Units = units,
            Keys = keys,
            KeyBytes = EvaluationKeys.Held(keys.Sum(key => Planner.KeyBytes(parameters, key)), keyBytes),
            CiphertextBytes = (limb * (units.Sum(unit => unit.KeptLimbs + (inFlight * unit.TapeLimbs)) + units.Max(unit => unit.WorkLimbs))) + Planner.Workspace(parameters, keys),
            DiagonalBytes = diagonals,
            HeldBytes = Math.Min(diagonals, cacheBytes),
            BytesOn = stage == stages - 1 ? 0
                : WireBytes(plan, plan.Packing.Hidden.Ciphertexts, units[^1].Output, seeded: false) + WireBytes(plan, SlotMaps.ShiftGroups(plan.Packing), plan.Levels.Masks, seeded: true),
            BytesBack = stage == 0 ? 0 : WireBytes(plan, plan.Packing.Hidden.Ciphertexts, units[0].Gradient, seeded: false),
        };
    }

    private static long WireBytes(ModelPlan plan, int count, int level, bool seeded) => count * WireSize.Ciphertext(plan.Parameters, level, seeded);
}
