using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>The units of a model in order: embedding, layers, head.</summary>
public static class UnitFactory
{
    /// <summary>Number of units: layers + 2.</summary>
    public static int Count(BertConfig config) => config.Layers + 2;

    /// <summary>Names of the units in order.</summary>
    public static IReadOnlyList<string> Names(BertConfig config) =>
        ["embedding", .. Enumerable.Range(0, config.Layers).Select(layer => $"layers.{layer}"), "head"];

    /// <summary>Builds unit <paramref name="index"/>; a head still has to be given its decoder.</summary>
    /// <param name="bf16">Matrix products with bfloat16 operands.</param>
    /// <param name="fineTune">What fine-tuning makes of the model; null: the pre-training model.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such unit.</exception>
    public static ModelUnit Create(
        BertConfig config, int index, ulong seed, ScalarType dtype = ScalarType.Float32, Device? device = null, bool bf16 = false,
        FineTuneShape? fineTune = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count(config));
        return index == 0 ? new EmbeddingUnit(config, seed, dtype, device, frozen: fineTune is { BaseIsFrozen: true })
            : index <= config.Layers ? new EncoderLayerUnit(config, index - 1, seed, dtype, device, bf16, fineTune?.Lora)
            : fineTune is not null ? new ClassifierHeadUnit(config, fineTune, seed, dtype, device)
            : new MlmHeadUnit(config, seed, dtype, device, bf16);
    }
}
