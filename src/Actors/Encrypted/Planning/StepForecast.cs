using ActorTrainer.Actors.Schedules;
using ActorTrainer.He.Planning;
using ActorTrainer.Model.Stages;

namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>What a node computes with.</summary>
/// <param name="Costs">Measured costs of operations.</param>
/// <param name="Cores">Cores of a node: times are taken to fall in proportion to the threads that <paramref name="Costs"/> was measured with, which is a hope and no measurement where they differ.</param>
/// <param name="CacheBytes">For encoded diagonals of a stage.</param>
/// <param name="KeyBytes">For its evaluation keys; null: as much as they take. Times are those of keys that are all held.</param>
/// <param name="Owner">How fast the owner and the network are.</param>
public sealed record NodeSpeed(OperationCosts Costs, int Cores, long CacheBytes, long? KeyBytes, OwnerSpeed Owner)
{
    /// <summary>Factor of measured times.</summary>
    public double Factor => (double)Costs.Parallelism / Cores;
}

/// <summary>Predicted time of a training step on a number of nodes.</summary>
/// <param name="Nodes">Nodes that were given.</param>
/// <param name="Stages">The cut; of no more stages than there are units.</param>
/// <param name="Compute">Seconds of computation and refreshes of each stage in a step.</param>
/// <param name="Seconds">Of a step.</param>
/// <param name="Bubble">Idle share of the stages while micro-batches run, 0 to 1.</param>
/// <param name="Owner">What goes to and from the owner in a step.</param>
/// <param name="OwnerSeconds">Seconds that the owner's cores are busy in a step: no step takes less.</param>
public sealed record StepForecast(int Nodes, IReadOnlyList<StagePlan> Stages, IReadOnlyList<double> Compute, double Seconds, double Bubble, OwnerTraffic Owner, double OwnerSeconds)
{
    /// <summary>Bytes between stages in a step.</summary>
    /// <param name="microBatches">Of a step.</param>
    public long StageBytes(int microBatches) => microBatches * Stages.Sum(stage => stage.BytesOn + stage.BytesBack);

    /// <summary>Units spread over as many stages as there are nodes, at most one a unit, by predicted time.</summary>
    public static StepForecast Of(ModelPlan plan, int nodes, ScheduleKind kind, int microBatches, NodeSpeed speed)
    {
        double[] costs = [.. plan.Units.Select(unit => Enum.GetValues<PlanPass>().Sum(pass => PlannedUnit.Times(pass, microBatches) * UnitSeconds(plan, unit, pass, speed, held: 1)))];
        return Of(plan, StagePartition.ByCost(costs, Math.Min(nodes, plan.Units.Count)), kind, microBatches, speed) with { Nodes = nodes };
    }

    /// <summary>A given cut.</summary>
    /// <param name="kind">GPipe or 1F1B; an interleaved schedule counts as 1F1B.</param>
    public static StepForecast Of(ModelPlan plan, StagePartition partition, ScheduleKind kind, int microBatches, NodeSpeed speed)
    {
        var simple = kind == ScheduleKind.Interleaved ? ScheduleKind.OneForwardOneBackward : kind;
        var stages = StagePlan.Cut(plan, partition, simple, microBatches, speed.CacheBytes, speed.KeyBytes);
        double Of(StagePlan stage, PlanPass pass) => stage.Units.Sum(unit => UnitSeconds(plan, unit, pass, speed, stage.Held));
        PartCost[] costs = [.. stages.Select(stage => new PartCost(
            Of(stage, PlanPass.Forward), Of(stage, PlanPass.Backward) + (Of(stage, PlanPass.Sum) * (microBatches - 1) / microBatches)))];
        double[] updates = [.. stages.Select(stage => Of(stage, PlanPass.Step))];
        var transfer = stages.Max(stage => Math.Max(stage.BytesOn, stage.BytesBack)) / speed.Owner.BytesPerSecond;
        var simulated = ScheduleSimulator.Step(simple, stages.Count, microBatches, 1, costs, transfer, tied: false);
        var owner = OwnerTraffic.Of(plan.Parameters, plan.Units, microBatches, speed.Owner);
        var busy = owner.OwnerSeconds / speed.Owner.Cores;
        return new StepForecast(
            stages.Count, stages, [.. costs.Zip(updates, (cost, update) => (microBatches * (cost.Forward + cost.Backward)) + update)],
            Math.Max(busy, simulated.Makespan + updates.Max()), simulated.Bubble, owner, busy);
    }

    private static double UnitSeconds(ModelPlan plan, PlannedUnit unit, PlanPass pass, NodeSpeed speed, double held) =>
        (speed.Factor * unit.Seconds(pass, speed.Costs, held)) + OwnerTraffic.Of(plan.Parameters, unit, pass, speed.Owner).WaitSeconds;
}
