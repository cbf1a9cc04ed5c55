using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Model.FineTuning;

/// <summary>The weights that fine-tuning starts from, one object a unit.</summary>
public static class BaseModel
{
    /// <summary>
    /// Stores the encoder's weights unit by unit in float32 under their published names, with three projections whatever the file has. Pooler
    /// and head in the file are passed over; adapters are refused, as the encoder without them would be another one. One unit at a time is in memory.
    /// </summary>
    /// <param name="source">The model.</param>
    /// <param name="store">Where the objects go.</param>
    /// <returns>Unit name → hash.</returns>
    /// <exception cref="RefusedException">The file does not fit its configuration, names every key; or it has adapters of its own.</exception>
    public static IReadOnlyDictionary<string, string> WriteUnits(ModelSource source, IObjectStore store)
    {
        var arch = source.Arch with { FusedQkv = false, KeyStartsAsQuery = false };
        var file = ModelWeights.Open(source.Weights, arch, allowFineTuned: true, decoderOptional: true);
        if (file.FineTuned.Keys.Where(IsAdapter).Order(StringComparer.Ordinal).ToList() is [var adapter, ..] adapters)
        {
            throw new RefusedException(
                $"{source.Weights} has {adapters.Count} tensors of adapters ({adapter}, …) and is no base as it is: "
                + "save that model with eval.save=merged, or use the model it was fine-tuned from.");
        }

        var names = StateDictLayout.Of(arch).Select(tensor => tensor.Name).ToLookup(StateDictLayout.UnitOf);
        return UnitFactory.Names(arch).ToDictionary(unit => unit, unit => store.Put(stream =>
        {
            using var scope = NewDisposeScope();
            SafeTensors.Write(stream, names[unit].Select(name => (name, file.Load(name).to(ScalarType.Float32))));
        }));
    }

    /// <summary>
    /// Fills a unit from an object of <see cref="WriteUnits"/>. What fine-tuning adds (pooler, head, adapters) keeps its values unless the object
    /// has it.
    /// </summary>
    /// <exception cref="RefusedException">
    /// A weight of the base is missing, or the object has one that the unit has not, or one of another shape; names every key. Nothing is changed then.
    /// </exception>
    public static void LoadUnit(ModelUnit unit, string path)
    {
        var header = SafeTensorsHeader.Read(path);
        var tensors = unit.Parameters.Concat(unit.Frozen).ToList();
        TensorFit.Require(
            path,
            $"unit {unit.Name} as its base",
            tensors.Select(tensor => (tensor.Name, tensor.Value.shape)),
            header.Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal),
            mayBeMissing: IsAdded);
        foreach (var tensor in tensors.Where(tensor => header.Find(tensor.Name) is not null))
        {
            SafeTensors.LoadInto(header, tensor.Name, tensor.Value);
        }
    }

    /// <summary>Whether a tensor comes from fine-tuning.</summary>
    internal static bool IsAdded(string name) =>
        name.StartsWith("pooler.", StringComparison.Ordinal) || name.StartsWith("head.", StringComparison.Ordinal) || IsAdapter(name);

    private static bool IsAdapter(string name) =>
        name.EndsWith("." + ParameterNames.LoraDown, StringComparison.Ordinal) || name.EndsWith("." + ParameterNames.LoraUp, StringComparison.Ordinal);
}
