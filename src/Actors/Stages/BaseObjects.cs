using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;

namespace ActorTrainer.Actors.Stages;

/// <summary>
/// The pre-trained weights of a fine-tuning run: an object for each unit, in the safetensors layout, named <c>base/UNIT</c> beside the units'
/// states. They are the same objects in all checkpoints of a run.
/// </summary>
public static class BaseObjects
{
    private const string Prefix = "base/";

    /// <summary>Name of a unit's pre-trained weights.</summary>
    public static string Key(string unit) => Prefix + unit;

    /// <summary>Whether an object's name is that of pre-trained weights.</summary>
    public static bool IsBase(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Units' states, and the pre-trained weights (unit name → hash) under their names.</summary>
    public static IReadOnlyDictionary<string, string> With(IReadOnlyDictionary<string, string> pretrained, IReadOnlyDictionary<string, string> states)
    {
        var all = new Dictionary<string, string>(states);
        foreach (var (unit, hash) in pretrained)
        {
            all[Key(unit)] = hash;
        }

        return all;
    }

    /// <summary>Overwrites the unit's learned and frozen tensors with those of its pre-trained weights, if the objects name any at all.</summary>
    /// <exception cref="RefusedException">The unit's object, or a tensor of the pre-trained model in it, is missing or has another shape.</exception>
    public static void Load(ModelUnit unit, IReadOnlyDictionary<string, string> objects, IObjectStore store)
    {
        if (!objects.Keys.Any(IsBase))
        {
            return;
        }

        if (!objects.TryGetValue(Key(unit.Name), out var hash))
        {
            throw new RefusedException($"There are no pre-trained weights of unit '{unit.Name}', only of {string.Join(", ", objects.Keys.Where(IsBase))}. They are of another model.");
        }

        BaseModel.LoadUnit(unit, store.Verified(hash));
    }
}
