using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Bert;

namespace ActorTrainer.Actors.Stages;

/// <summary>What looks at, or stands in for, functions that are no polynomials. Members are called on the threads of all stages at once.</summary>
public sealed record StageHooks
{
    /// <summary>Exact functions at which nobody looks.</summary>
    public static readonly StageHooks None = new();

    /// <summary>
    /// The probe of one forward of one part, null: none. A probe is shown the inputs of one forward of a part at a time; one that is returned
    /// more than once is shown those of several parts and threads. What an <see cref="IPenaltyProbe"/> gives is added to the loss; as losses are, it should be
    /// multiplied by the step's scale.
    /// </summary>
    public Func<TensorStageRecipe, StageProtocol.RunStep, IInputProbe?> Probe { get; init; } = (_, _) => null;

    /// <summary>What stands in for the functions, asked for when a stage is prepared; null: nothing.</summary>
    public Func<TensorStageRecipe, IPointFunctions?> Functions { get; init; } = _ => null;
}
