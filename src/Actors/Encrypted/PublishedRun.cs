using System.Security.Cryptography;
using System.Text.Json.Serialization;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// What the stages of an encrypted run begin with and only its data owner can make, as a folder that the owner writes and the coordinator's node reads: <c>keys.json</c>,
/// <c>evaluation.keys</c>, <c>plan.json</c>, an encrypted state for each unit, and <c>states.json</c>, which names those. All of it is public. The folder appears when it is complete, and is
/// never changed: an owner who comes back finds what the run began with.
/// </summary>
public sealed record PublishedRun
{
    /// <summary>The format this build writes and reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Name of the file with the plan.</summary>
    public const string PlanName = "plan.json";

    private const string FileName = "states.json";
    private const string Remedy = "Remove the folder, and start finetune-encrypted again, which makes it.";

    /// <summary>Version of the format.</summary>
    public required int Format { get; init; }

    /// <summary>Unit → file of its encrypted state.</summary>
    public required IReadOnlyDictionary<string, EncryptedFile> States { get; init; }

    /// <summary>See <see cref="EncryptedRecipe.Bounds"/>.</summary>
    public IReadOnlyDictionary<string, double> Bounds { get; init; } = new Dictionary<string, double>();

    /// <summary>Where it is.</summary>
    [JsonIgnore]
    public string Folder { get; private init; } = "";

    /// <summary>The public side of the keys.</summary>
    [JsonIgnore]
    public KeyManifest Keys { get; private init; } = null!; // set by Open

    /// <summary>Writes the folder, where there is none.</summary>
    /// <param name="folder">Its name has to follow from the keys and from all that the states follow from.</param>
    /// <param name="keys">Folder with the public side of the keys.</param>
    /// <param name="plan">Of the program.</param>
    /// <param name="write">Writes the encrypted state of a unit.</param>
    /// <param name="bounds">Finds the bounds of values, for a run that bootstraps; null for others.</param>
    /// <exception cref="RefusedException">A folder is there and damaged, or cannot be written.</exception>
    public static PublishedRun Write(string folder, string keys, EncryptedPlan plan, Action<string, Stream> write, Func<IReadOnlyDictionary<string, double>>? bounds = null)
    {
        if (Directory.Exists(folder))
        {
            return Open(folder);
        }

        try
        {
            CheckpointFolder.Fill(folder, made =>
            {
                foreach (var name in new[] { KeyManifest.FileName, KeyManifest.EvaluationKeysName })
                {
                    // Not a copy of the file, whose mode is for the owner alone.
                    using var from = File.OpenRead(Path.Combine(keys, name));
                    using var to = File.Create(Path.Combine(made, name));
                    from.CopyTo(to, 1 << 20);
                }

                plan.Save(Path.Combine(made, PlanName));
                var states = plan.Units.ToDictionary(unit => unit.Name, unit => WriteState(made, $"{unit.Name}.state", stream => write(unit.Name, stream)));
                ManifestFile.Save(Path.Combine(made, FileName), new PublishedRun { Format = CurrentFormat, States = states, Bounds = bounds?.Invoke() ?? new Dictionary<string, double>() });
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{folder}: cannot be written ({e.Message}). The cluster reads keys and initial weights there; name another folder of data with he.data=….", e);
        }

        return Open(folder);
    }

    /// <summary>Opens a folder; sizes are checked here, contents by <see cref="Objects"/>.</summary>
    /// <exception cref="RefusedException">There is none, or it is damaged.</exception>
    public static PublishedRun Open(string folder)
    {
        var run = ManifestFile.Load<PublishedRun>(Path.Combine(folder, FileName), CurrentFormat, run => run.Format, Remedy)
            ?? throw new RefusedException($"{folder}: expected the keys and initial weights of this run, found no {FileName}. The owner's finetune-encrypted writes it; is he.data a folder that the coordinator's node reads too?");
        var opened = run with { Folder = folder, Keys = KeyManifest.Load(folder) };
        foreach (var file in run.States.Values.Append(opened.Keys.EvaluationKeys))
        {
            Require(file.SizeProblem(folder));
        }

        return opened;
    }

    /// <summary>Stores keys and initial states under the names that stages know them by.</summary>
    /// <param name="store">Where they go.</param>
    /// <returns>Name → hash.</returns>
    /// <exception cref="RefusedException">A file is damaged.</exception>
    public IReadOnlyDictionary<string, string> Objects(IObjectStore store) => States
        .Select(state => (EncryptedRecipe.InitialObject(state.Key), state.Value))
        .Append((EncryptedRecipe.KeysObject, Keys.EvaluationKeys))
        .ToDictionary(pair => pair.Item1, pair => Put(store, pair.Item2));

    private static EncryptedFile WriteState(string folder, string name, Action<Stream> write)
    {
        var path = Path.Combine(folder, name);
        using (var stream = File.Create(path))
        {
            write(stream);
        }

        using var written = File.OpenRead(path);
        return new EncryptedFile(name, written.Length, Convert.ToHexStringLower(SHA256.HashData(written)));
    }

    private string Put(IObjectStore store, EncryptedFile file)
    {
        Require(file.Problem(Folder));
        return store.Put(stream =>
        {
            using var from = File.OpenRead(Path.Combine(Folder, file.Name));
            from.CopyTo(stream, 1 << 20);
        });
    }

    private static void Require(string? problem)
    {
        if (problem is not null)
        {
            throw new RefusedException($"{problem}. {Remedy}");
        }
    }
}
