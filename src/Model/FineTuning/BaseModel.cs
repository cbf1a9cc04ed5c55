using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.FineTuning;

/// <summary>The weights that fine-tuning starts from, one object a unit.</summary>
public static class BaseModel
{
    /// <summary>
    /// Stores the encoder's weights unit by unit under their published names, with three projections whatever the file has. Pooler, head and
    /// adapters in the file are passed over.
    /// </summary>
    /// <param name="source">The model.</param>
    /// <param name="store">Where the objects go.</param>
    /// <returns>Unit name → hash.</returns>
    /// <exception cref="RefusedException">The file does not fit its configuration; names every key.</exception>
    public static IReadOnlyDictionary<string, string> WriteUnits(ModelSource source, IObjectStore store)
    {
        var arch = source.Arch with { FusedQkv = false, KeyStartsAsQuery = false };
        var hashes = new Dictionary<string, string>();
        for (var index = 0; index < UnitFactory.Count(arch); index++)
        {
            using var unit = UnitFactory.Create(arch, index, seed: 0);
            StateDict.LoadInto(arch, [unit], source.Weights, ignorePooler: true);
            hashes[unit.Name] = store.Put(stream => SafeTensors.Write(stream, unit.Parameters.Select(parameter => (parameter.Name, parameter.Value))));
        }

        return hashes;
    }

    /// <summary>
    /// Fills a unit from an object of <see cref="WriteUnits"/>. What fine-tuning adds (pooler, head, adapters) keeps its values unless the object
    /// has it.
    /// </summary>
    /// <exception cref="RefusedException">A weight of the base is missing or has another shape.</exception>
    public static void LoadUnit(ModelUnit unit, string path)
    {
        var header = SafeTensorsHeader.Read(path);
        var tensors = unit.Parameters.Concat(unit.Frozen).ToList();
        var missing = tensors.Where(tensor => header.Find(tensor.Name) is null && !IsAdded(tensor.Name)).Select(tensor => tensor.Name).ToList();
        if (missing.Count > 0)
        {
            throw new RefusedException($"{path} is not a base of unit {unit.Name}: missing {string.Join(", ", missing)}.");
        }

        foreach (var tensor in tensors.Where(tensor => header.Find(tensor.Name) is not null))
        {
            SafeTensors.LoadInto(header, tensor.Name, tensor.Value);
        }
    }

    /// <summary>Whether a tensor comes from fine-tuning.</summary>
    internal static bool IsAdded(string name) =>
        name.StartsWith("pooler.", StringComparison.Ordinal) || name.StartsWith("head.", StringComparison.Ordinal)
        || name.EndsWith("." + ParameterNames.LoraDown, StringComparison.Ordinal) || name.EndsWith("." + ParameterNames.LoraUp, StringComparison.Ordinal);
}
