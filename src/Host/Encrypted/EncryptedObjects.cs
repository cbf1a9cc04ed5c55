using System.Text.Json;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using static TorchSharp.torch;

namespace ActorTrainer.Host.Encrypted;

/// <summary>The objects that the stages of an encrypted run begin with: base weights in the clear, evaluation keys, and encrypted initial weights.</summary>
internal static class EncryptedObjects
{
    private const string FileName = "objects.json";

    /// <summary>Names and hashes; made once for a run, since every encryption is another.</summary>
    /// <param name="folder">Folder of the run.</param>
    /// <param name="store">Of the run.</param>
    /// <param name="program">What is trained.</param>
    /// <param name="keys">The owner's.</param>
    /// <param name="seed">Of the initial adapters and head, as fine-tuning in the clear has them.</param>
    /// <param name="trained">Unit → file of an encrypted state to begin with; null: initial weights.</param>
    public static IReadOnlyDictionary<string, string> Of(
        string folder, ContentStore store, EncryptedProgram program, OwnerKeys keys, ulong seed, IReadOnlyDictionary<string, string>? trained = null)
    {
        var path = Path.Combine(folder, FileName);
        if (File.Exists(path) && JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(path)) is { } known && known.Values.All(store.Contains))
        {
            return known;
        }

        var objects = BaseModel.WriteUnits(program.Job.Model.Source, store).ToDictionary();
        objects.Add(EncryptedRecipe.KeysObject, Copy(store, Path.Combine(keys.Folder, KeyManifest.EvaluationKeysName)));
        using var cipher = new AdapterCipher(keys.Context, keys.Secret, program.Refreshing.Floor);
        foreach (var unit in program.Recipe.Units)
        {
            objects.Add(EncryptedRecipe.InitialObject(unit), trained is null
                ? store.Put(stream => cipher.Write(stream, program.Units.Layout(unit), Initial(program.Recipe, unit, seed)))
                : Copy(store, trained[unit]));
        }

        AtomicFile.WriteText(path, JsonSerializer.Serialize(objects));
        return objects;
    }

    /// <summary>Initial adapters of a unit, by the names of its layout.</summary>
    public static IReadOnlyDictionary<string, double[]> Initial(EncryptedRecipe recipe, string name, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var unit = UnitFactory.Create(recipe.Arch, UnitFactory.Names(recipe.Arch).ToList().IndexOf(name), seed, fineTune: recipe.Shape);
        var tensors = unit.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value);
        return EncryptedNames.Of(name).ToDictionary(pair => pair.Inner, pair => tensors[pair.Outer].detach().to(ScalarType.Float64).contiguous().data<double>().ToArray());
    }

    private static string Copy(ContentStore store, string path) => store.Put(stream =>
    {
        using var file = File.OpenRead(path);
        file.CopyTo(stream, 1 << 20);
    });
}
