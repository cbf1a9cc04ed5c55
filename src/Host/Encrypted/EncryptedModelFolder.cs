using System.Text.Json;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Encrypted;

/// <summary>An encrypted model as a folder: <c>encrypted.json</c> and a state for each unit, <c>UNIT.state</c>. Nothing in it is secret; only the owner can read the weights.</summary>
/// <param name="Format">Version of the format.</param>
/// <param name="Step">Steps trained.</param>
/// <param name="KeySha256">Name of the keys.</param>
/// <param name="EmbeddingSha256">Hash of the base's embedding.</param>
/// <param name="Recipe">What it was trained as.</param>
internal sealed record EncryptedModelFolder(int Format, long Step, string KeySha256, string EmbeddingSha256, EncryptedRecipe Recipe)
{
    /// <summary>The format this build writes and reads.</summary>
    public const int CurrentFormat = 1;

    private const string FileName = "encrypted.json";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    /// <summary>Writes a checkpoint's folder and returns its path.</summary>
    public static string Write(string runFolder, CheckpointManifest manifest, IObjectStore store, EncryptedRecipe recipe, string keySha256, string embeddingSha256) =>
        CheckpointFolder.Write(runFolder, manifest.Step, folder =>
        {
            foreach (var unit in recipe.Units)
            {
                File.Copy(store.Verified(manifest.Units[unit]), Path.Combine(folder, StateOf(unit)));
            }

            AtomicFile.WriteText(
                Path.Combine(folder, FileName),
                JsonSerializer.Serialize(new Stored(CurrentFormat, manifest.Step, keySha256, embeddingSha256, recipe.ToJson()), Json));
        }, [FileName, .. recipe.Units.Select(StateOf)]);

    /// <summary>Reads a folder's description.</summary>
    /// <exception cref="RefusedException">It is none, or of another format.</exception>
    public static EncryptedModelFolder Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            var stored = JsonSerializer.Deserialize<Stored>(File.ReadAllText(path)) ?? throw new JsonException("it is null");
            return stored.Format == CurrentFormat
                ? new EncryptedModelFolder(stored.Format, stored.Step, stored.KeySha256, stored.EmbeddingSha256, EncryptedRecipe.Parse(stored.Recipe))
                : throw new RefusedException($"{path}: expected format {CurrentFormat}, found {stored.Format}. Use the version of the program that wrote it.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new RefusedException($"{folder}: no encrypted model there ({e.Message}). Train one with finetune-encrypted, or name its folder with model=FOLDER.", e);
        }
    }

    /// <summary>Unit → file of its state.</summary>
    public IReadOnlyDictionary<string, string> States(string folder) => Recipe.Units.ToDictionary(unit => unit, unit => Path.Combine(folder, StateOf(unit)));

    /// <summary>Refuses keys that did not encrypt it.</summary>
    /// <exception cref="RefusedException">Names both.</exception>
    public void Require(string folder, string keySha256, string keyFolder)
    {
        if (KeySha256 != keySha256)
        {
            throw new RefusedException($"{folder}: encrypted under keys {KeySha256[..16]}, but {keyFolder} holds keys {keySha256[..16]}. Name the right ones with he.keys=….");
        }
    }

    private static string StateOf(string unit) => $"{unit}.state";

    private sealed record Stored(int Format, long Step, string KeySha256, string EmbeddingSha256, string Recipe);
}
