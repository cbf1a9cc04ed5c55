using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Model.FineTuning;

/// <summary>
/// A fine-tuned model as a folder: <c>model.safetensors</c> (encoder, pooler, head, no decoder; adapters merged or beside their projections),
/// <c>model_config.json</c>, <c>finetune_config.json</c>, and with adapters <c>adapter.safetensors</c>, which has only what was learned.
/// </summary>
public static class FineTunedModel
{
    public const string AdapterFile = "adapter.safetensors";

    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    /// <summary>Writes the folder's files from unit objects.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="arch">Shape of the model.</param>
    /// <param name="shape">What fine-tuning made of it.</param>
    /// <param name="states">Unit → file of its learned tensors.</param>
    /// <param name="weights">Unit → file of its base.</param>
    /// <param name="saving">How adapters are saved.</param>
    public static void Write(
        string folder, BertConfig arch, FineTuneShape shape, IReadOnlyDictionary<string, string> states, IReadOnlyDictionary<string, string> weights, AdapterSaving saving)
    {
        using var scope = NewDisposeScope();
        var units = CreateUnits(arch, shape);
        try
        {
            foreach (var unit in units)
            {
                BaseModel.LoadUnit(unit, weights[unit.Name]);
                LoadLearned(unit, states[unit.Name]);
            }

            var merge = shape.Lora is not null && saving == AdapterSaving.Merged;
            var tensors = merge ? units.SelectMany(unit => Merged(unit, shape.Lora!)) : units.SelectMany(All);
            SafeTensors.Write(Path.Combine(folder, CheckpointFolder.ModelFile), tensors.Select(tensor => (tensor.Name, tensor.Value)), Metadata);
            if (shape.Lora is not null)
            {
                SafeTensors.Write(
                    Path.Combine(folder, AdapterFile),
                    units.SelectMany(unit => unit.Parameters).Select(tensor => (tensor.Name, tensor.Value)),
                    AdapterMetadata.Of(arch, shape));
            }

            ModelConfigFile.Save(Path.Combine(folder, CheckpointFolder.ConfigFile), arch);
            FineTuneShapeFile.Save(Path.Combine(folder, FineTuneShapeFile.FileName), merge ? shape with { Lora = null } : shape);
        }
        finally
        {
            units.ForEach(unit => unit.Dispose());
        }
    }

    /// <summary>Units of a saved model, all of them; the caller owns them.</summary>
    /// <param name="folder">Folder of a fine-tuned model.</param>
    /// <exception cref="RefusedException">Not such a folder, or its tensors are not those of its configuration; names every key.</exception>
    public static (BertConfig Arch, FineTuneShape Shape, IReadOnlyList<ModelUnit> Units) Load(string folder)
    {
        var shape = FineTuneShapeFile.Load(Path.Combine(folder, FineTuneShapeFile.FileName));
        var arch = ModelConfigFile.Load(Path.Combine(folder, CheckpointFolder.ConfigFile)) with { FusedQkv = false };
        var header = SafeTensorsHeader.Read(Path.Combine(folder, CheckpointFolder.ModelFile));

        // Before units are made: a wrong configuration must not cost memory.
        Require(header, "the model of its configuration", FineTuneLayout.All(arch, shape));
        return (arch, shape, Filled(arch, shape, units => Fill(units.SelectMany(All), header)));
    }

    /// <summary>What an adapter file says fine-tuning made of the model.</summary>
    /// <exception cref="RefusedException">It is not an adapter file.</exception>
    public static FineTuneShape Described(string adapterFile) => AdapterMetadata.Read(SafeTensorsHeader.Read(adapterFile)).Shape;

    /// <summary>Units of a pre-trained model with what an adapter file adds to it; the caller owns them.</summary>
    /// <param name="weights">Weights of the model that the adapters were trained on, or any with its shape.</param>
    /// <param name="adapterFile">The file <see cref="AdapterFile"/> of a fine-tuned model.</param>
    /// <exception cref="RefusedException">One of the files does not fit what the adapter file says of the model; names every key.</exception>
    public static (BertConfig Arch, FineTuneShape Shape, IReadOnlyList<ModelUnit> Units) LoadOver(string weights, string adapterFile)
    {
        var learned = SafeTensorsHeader.Read(adapterFile);
        var (arch, shape) = AdapterMetadata.Read(learned);
        Require(learned, "the adapters of its own description", FineTuneLayout.Learned(arch, shape));
        var file = ModelWeights.Open(weights, arch, allowFineTuned: false, decoderOptional: true);
        return (arch, shape, Filled(arch, shape, units =>
        {
            foreach (var tensor in units.SelectMany(unit => unit.Frozen))
            {
                file.LoadInto(tensor.Name, tensor.Value);
            }

            Fill(units.SelectMany(unit => unit.Parameters), learned);
        }));
    }

    /// <summary>Replaces what was learned by the tensors of an adapter file.</summary>
    /// <exception cref="RefusedException">The file has other tensors than the model learns.</exception>
    public static void LoadAdapter(IReadOnlyList<ModelUnit> units, string adapterFile)
    {
        var header = SafeTensorsHeader.Read(adapterFile);
        var learned = units.SelectMany(unit => unit.Parameters).ToList();
        Require(header, "what the model learns", learned.Select(tensor => (tensor.Name, tensor.Value.shape)));
        Fill(learned, header);
    }

    /// <summary>Units with initial weights.</summary>
    public static List<ModelUnit> CreateUnits(BertConfig arch, FineTuneShape shape) =>
        [.. Enumerable.Range(0, UnitFactory.Count(arch)).Select(index => UnitFactory.Create(arch, index, seed: 0, fineTune: shape))];

    /// <summary>Overwrites a unit's learned tensors from a file of its state.</summary>
    /// <exception cref="RefusedException">A tensor is missing or has another shape.</exception>
    public static void LoadLearned(ModelUnit unit, string stateFile)
    {
        var header = SafeTensorsHeader.Read(stateFile);
        foreach (var parameter in unit.Parameters)
        {
            SafeTensors.LoadInto(header, parameter.Name, parameter.Value);
        }
    }

    private static IEnumerable<NamedParameter> All(ModelUnit unit) => unit.Frozen.Concat(unit.Parameters);

    /// <summary>The tensors of a unit with its adapters added to their projections: W + (α/r)·B·A.</summary>
    private static IEnumerable<NamedParameter> Merged(ModelUnit unit, LoraShape lora)
    {
        using var noGrad = no_grad();
        var learned = unit.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value);
        var merged = new List<NamedParameter>();
        foreach (var tensor in unit.Frozen)
        {
            merged.Add(tensor.Name.EndsWith("weight", StringComparison.Ordinal)
                && learned.TryGetValue(ParameterNames.Adapter(tensor.Name, ParameterNames.LoraDown), out var down)
                && learned.TryGetValue(ParameterNames.Adapter(tensor.Name, ParameterNames.LoraUp), out var up)
                ? tensor with { Value = (tensor.Value + up.matmul(down) * lora.Scale).detach() }
                : tensor);
        }

        return merged.Concat(unit.Parameters.Where(parameter => !parameter.Name.EndsWith(ParameterNames.LoraDown, StringComparison.Ordinal)
            && !parameter.Name.EndsWith(ParameterNames.LoraUp, StringComparison.Ordinal)));
    }

    private static void Require(SafeTensorsHeader header, string what, IEnumerable<(string Name, long[] Shape)> wanted) =>
        TensorFit.Require(header.Path, what, wanted, header.Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal));

    private static void Fill(IEnumerable<NamedParameter> tensors, SafeTensorsHeader header)
    {
        foreach (var tensor in tensors)
        {
            SafeTensors.LoadInto(header, tensor.Name, tensor.Value);
        }
    }

    private static List<ModelUnit> Filled(BertConfig arch, FineTuneShape shape, Action<List<ModelUnit>> fill)
    {
        var units = CreateUnits(arch, shape);
        try
        {
            fill(units);
            return units;
        }
        catch
        {
            units.ForEach(unit => unit.Dispose());
            throw;
        }
    }
}
