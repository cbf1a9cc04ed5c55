using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Actors.Stages;

/// <summary>Settings of a plaintext stage; travels as JSON inside <c>StageProtocol.Prepare</c>, opaque to the actors.</summary>
public sealed record TensorStageRecipe
{
    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() } };

    public required BertConfig Arch { get; init; }

    /// <summary>What fine-tuning makes of the model; null: pre-training.</summary>
    public FineTuneShape? FineTune { get; init; }

    /// <summary>Recording of ranges, range training, polynomials.</summary>
    public RangeOptions Ranges { get; init; } = new();

    public required AdamWOptions Optim { get; init; }

    /// <summary>Seed of initial weights and dropout.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Intra-op threads.</summary>
    public required int Threads { get; init; }

    /// <summary>Run a part's forward again before its backward instead of keeping its activations.</summary>
    public required bool Recompute { get; init; }

    /// <summary>Matrix products in bfloat16.</summary>
    public required bool BFloat16 { get; init; }

    /// <summary>True: the CUDA device; false: the CPU.</summary>
    public required bool Cuda { get; init; }

    /// <summary>The recipe of a run's stages.</summary>
    public static TensorStageRecipe Of(RunOptions options, bool cuda, bool bFloat16) => new()
    {
        Arch = options.Arch,
        FineTune = options.FineTune,
        Ranges = options.Ranges,
        Optim = options.Train.Optim,
        Seed = options.Seed,
        Threads = options.Impl.Threads,
        Recompute = options.Impl.Recompute,
        BFloat16 = bFloat16,
        Cuda = cuda,
    };

    /// <summary>As JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>From JSON.</summary>
    /// <exception cref="JsonException">Not a recipe.</exception>
    public static TensorStageRecipe Parse(string json) =>
        JsonSerializer.Deserialize<TensorStageRecipe>(json, Json) ?? throw new JsonException("A stage recipe must not be null.");
}
