using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>
/// What the owner keeps of an encrypted split and nobody else may see, in a file of mode 0600: which row stands where, labels and lengths. Lists have an entry for each
/// example, micro-batch after micro-batch.
/// </summary>
public sealed record OwnerExamples
{
    /// <summary>The format this build writes and reads.</summary>
    public const int CurrentFormat = 1;

    private const string Remedy = "Delete it with the encrypted data and encrypt again.";

    /// <summary>Version of the format.</summary>
    public required int Format { get; init; }

    /// <summary>Name of the task.</summary>
    public required string Task { get; init; }

    /// <summary>Name of the split.</summary>
    public required string Split { get; init; }

    /// <summary>Hash over everything that the token ids depend on, from the export.</summary>
    public required string DataKey { get; init; }

    /// <summary>Name of the keys: see <see cref="KeyManifest.KeySha256"/>.</summary>
    public required string KeySha256 { get; init; }

    /// <summary>Names of the classes; empty for a number.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Rows of a micro-batch.</summary>
    public required int Batch { get; init; }

    /// <summary>Examples but those that fill up the last micro-batch.</summary>
    public required int Rows { get; init; }

    /// <summary>What the order follows from. Whoever has it and the data set could tell which row stands where.</summary>
    public required ulong OrderSeed { get; init; }

    /// <summary>Numbers of the rows in their split.</summary>
    public required IReadOnlyList<int> RowNumbers { get; init; }

    /// <summary>Tokens without padding.</summary>
    public required IReadOnlyList<int> TokenCounts { get; init; }

    /// <summary>Classes, or numbers.</summary>
    public required IReadOnlyList<float> Labels { get; init; }

    /// <summary>Where the owner keeps it.</summary>
    public static string FileOf(string folder, string task, string split) => Path.Combine(Path.GetFullPath(folder), task, split + ".json");

    /// <summary>Reads the file.</summary>
    /// <exception cref="RefusedException">There is none, others may read it, or it is damaged.</exception>
    public static OwnerExamples Load(string path) => Find(path) ?? throw new RefusedException($"{path}: expected what the owner keeps of the encrypted data, found no file. {Remedy}");

    /// <summary>The same, or null when there is no file.</summary>
    internal static OwnerExamples? Find(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        PrivateFile.RequirePrivate(path);
        var examples = ManifestFile.Load<OwnerExamples>(path, CurrentFormat, e => e.Format, Remedy)!;
        return examples.Batch > 0 && examples.RowNumbers.Count % examples.Batch == 0 && examples.Rows <= examples.RowNumbers.Count
            && examples.TokenCounts.Count == examples.RowNumbers.Count && examples.Labels.Count == examples.RowNumbers.Count
            ? examples
            : throw new RefusedException($"{path}: damaged: its lists do not make up whole micro-batches. {Remedy}");
    }

    internal void Save(string path)
    {
        PrivateFile.CreateFolder(Path.GetDirectoryName(path)!);
        PrivateFile.Write(path, ManifestFile.ToBytes(this));
    }
}
