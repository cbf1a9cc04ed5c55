namespace ActorTrainer.Actors.Crew;

/// <summary>Which node plays which stage.</summary>
/// <param name="Stages">The stages, in order.</param>
/// <param name="PartSizes">Units of every part of the model, in order; part i lies on stage i mod number of stages.</param>
/// <param name="StepSeconds">Expected time of a step without transfers, seconds.</param>
/// <param name="Spares">Nodes that play no stage, by name.</param>
/// <param name="Suspect">Links of the plan that were better not used.</param>
public sealed record PlacementPlan(
    IReadOnlyList<PlacedStage> Stages,
    IReadOnlyList<int> PartSizes,
    double StepSeconds,
    IReadOnlyList<string> Spares,
    int Suspect)
{
    /// <summary>Expected seconds of the slowest stage for one micro-batch.</summary>
    public double SlowestSeconds => Stages.Max(stage => stage.Seconds);
}

/// <summary>One stage of a plan.</summary>
/// <param name="Node">Name of its node.</param>
/// <param name="Units">Indices of its units, in order.</param>
/// <param name="Seconds">Expected seconds of a forward and backward of one micro-batch.</param>
/// <param name="Memory">Expected memory.</param>
/// <param name="Replicas">Names of the nodes that hold copies of its unit states.</param>
public sealed record PlacedStage(string Node, IReadOnlyList<int> Units, double Seconds, StageMemory Memory, IReadOnlyList<string> Replicas);

/// <summary>A plan, or why there is none.</summary>
/// <param name="Plan">The plan; null when refused.</param>
/// <param name="Refusal">The numbers that do not fit; empty with a plan.</param>
public sealed record PlacementResult(PlacementPlan? Plan, string Refusal);
