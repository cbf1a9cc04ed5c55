using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.FineTuning;

namespace ActorTrainer.Actors.Evaluation;

/// <summary>Settings of <see cref="TensorEvaluation"/>; travels as JSON inside <c>EvaluationModel</c>, opaque to the actors.</summary>
public sealed record TensorEvaluationRecipe
{
    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() } };

    /// <summary>Shape of the model; null with a folder, which knows its own.</summary>
    public BertConfig? Arch { get; init; }

    /// <summary>What fine-tuning made of the model; null with a folder.</summary>
    public FineTuneShape? Shape { get; init; }

    /// <summary>How far rows are padded.</summary>
    public PaddingKind Padding { get; init; } = PaddingKind.Longest;

    /// <summary>Matrix products in bfloat16; a folder's units are what its loader makes them.</summary>
    public bool BFloat16 { get; init; }

    /// <summary>True: the CUDA device; false: the CPU.</summary>
    public bool Cuda { get; init; }

    /// <summary>As JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>From JSON.</summary>
    /// <exception cref="JsonException">Not a recipe.</exception>
    public static TensorEvaluationRecipe Parse(string json) =>
        JsonSerializer.Deserialize<TensorEvaluationRecipe>(json, Json) ?? throw new JsonException("A recipe of an evaluation must not be null.");
}
