using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.FineTuning;

/// <summary>What an adapter file says of its model: both configurations, as neither rank's scale nor the attention shows in the tensors.</summary>
internal static class AdapterMetadata
{
    private const string ArchKey = "model_config";
    private const string ShapeKey = "finetune_config";

    /// <summary>Metadata of an adapter file.</summary>
    public static Dictionary<string, string> Of(BertConfig arch, FineTuneShape shape) => new()
    {
        ["format"] = "pt",
        [ArchKey] = ModelConfigFile.ToText(arch),
        [ShapeKey] = FineTuneShapeFile.ToText(shape),
    };

    /// <summary>Reads the metadata.</summary>
    /// <exception cref="RefusedException">It is not there, not valid, or of a model without adapters.</exception>
    public static (BertConfig Arch, FineTuneShape Shape) Read(SafeTensorsHeader header)
    {
        var arch = ModelConfigFile.Parse($"{header.Path} ({ArchKey})", Text(ArchKey)) with { FusedQkv = false };
        var shape = FineTuneShapeFile.Parse($"{header.Path} ({ShapeKey})", Text(ShapeKey));
        return shape.Lora is not null
            ? (arch, shape)
            : throw new RefusedException($"{header.Path}: its {ShapeKey} describes a model without adapters; expected an {FineTunedModel.AdapterFile}.");

        string Text(string key) => header.Metadata.GetValueOrDefault(key) ?? throw new RefusedException(
            $"{header.Path}: the metadata has no {key}, so this is no {FineTunedModel.AdapterFile} that says how it is applied.");
    }
}
