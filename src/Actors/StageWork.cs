using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;

namespace ActorTrainer.Actors;

/// <summary>What the stages of a run compute: all that differs between runs on tensors and runs on ciphertexts.</summary>
public sealed record StageWork
{
    /// <summary>Names of all units, in order.</summary>
    public required IReadOnlyList<string> Units { get; init; }

    /// <summary>Settings that decide the result; see <see cref="RunRecipe"/>.</summary>
    public required string Recipe { get; init; }

    /// <summary>Settings for the stages' computation.</summary>
    public required string StageRecipe { get; init; }

    /// <summary>Makes the computation of one stage over the run's objects.</summary>
    public required Func<IObjectStore, IStageComputation> Computation { get; init; }

    /// <summary>Reads payloads back, where they go through their wire format.</summary>
    public required IPayloadReader Reader { get; init; }

    /// <summary>Whether the head's decoder is the embedding's table.</summary>
    public bool Tied { get; init; }

    /// <summary>The model of the options, in the clear.</summary>
    public static StageWork OnTensors(RunOptions options, string recipe, bool cuda, bool bFloat16) => new()
    {
        Units = UnitFactory.Names(options.Arch),
        Recipe = recipe,
        StageRecipe = TensorStageRecipe.Of(options, cuda, bFloat16).ToJson(),
        Computation = store => new TensorStage(store),
        Reader = new TensorPayloadReader(),
        Tied = options.FineTune is null,
    };
}
