using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Data;

/// <summary>What a folder of prepared data holds; <c>manifest.json</c>, written last, so a folder without it is unfinished.</summary>
public sealed record DatasetManifest
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "manifest.json";

    /// <summary>The format this build writes and reads.</summary>
    public const int CurrentFormat = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Version of the format.</summary>
    public required int Format { get; init; }

    /// <summary>Hash over everything that the content depends on; name of the folder.</summary>
    public required string Key { get; init; }

    /// <summary>What the text came from, as hashed into <see cref="Key"/>: kind, layout, held-out rule, files.</summary>
    public required string Source { get; init; }

    /// <summary>The source files in reading order; empty for sample text.</summary>
    public required IReadOnlyList<SourceFile> Sources { get; init; }

    /// <summary>Hash of the tokenizer; empty when the source was already tokenised and none was given.</summary>
    public required string TokenizerHash { get; init; }

    /// <summary>Every stored id lies in [0, Vocabulary).</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Tokens of a block.</summary>
    public required int BlockLength { get; init; }

    /// <summary>Bytes of a stored id: 2 (unsigned) or 4, little-endian.</summary>
    public required int TokenBytes { get; init; }

    /// <summary>Blocks to train on.</summary>
    public required SplitManifest Train { get; init; }

    /// <summary>Blocks to evaluate on.</summary>
    public required SplitManifest HeldOut { get; init; }

    /// <summary>Counts of each id in the training blocks: Vocabulary 64-bit integers, little-endian.</summary>
    public required ShardFile Unigrams { get; init; }

    /// <summary>The part of a split.</summary>
    public SplitManifest Of(DataSplit split) => split == DataSplit.Train ? Train : HeldOut;

    /// <summary>Reads the manifest of a folder.</summary>
    /// <exception cref="RefusedException">Missing, damaged, or of another format.</exception>
    public static DatasetManifest Load(string folder)
    {
        var file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
        {
            throw new RefusedException($"{folder}: no finished prepared data there (no {FileName}); prepare it again.");
        }

        try
        {
            var manifest = JsonSerializer.Deserialize<DatasetManifest>(File.ReadAllBytes(file), Json) ?? throw new JsonException("null");
            return manifest.Format == CurrentFormat
                ? manifest
                : throw new RefusedException(
                    $"{file}: format {manifest.Format}, expected {CurrentFormat}; delete the folder and prepare the data again.");
        }
        catch (JsonException e)
        {
            throw new RefusedException($"{file}: damaged: {e.Message} Delete the folder and prepare the data again.", e);
        }
    }

    /// <summary>Writes the manifest, atomically.</summary>
    public void Save(string folder) => AtomicFile.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, Json) + "\n");
}

/// <summary>The two parts of prepared data.</summary>
public enum DataSplit
{
    /// <summary>To train on.</summary>
    Train,

    /// <summary>To evaluate on; never trained on.</summary>
    HeldOut,
}

/// <summary>A source file as it was when it was read.</summary>
/// <param name="Split">"train" or "heldout": where the file was named.</param>
public sealed record SourceFile(string Name, long Size, string Sha256, string Split)
{
    /// <summary>Where the file was; not part of the manifest, since the same files elsewhere are the same data.</summary>
    [JsonIgnore]
    public string Path { get; init; } = "";

    /// <summary>Modification time in UTC ticks when it was hashed.</summary>
    [JsonIgnore]
    internal long Time { get; init; }
}

/// <summary>Counts and files of a split.</summary>
/// <param name="Documents">Documents or rows read.</param>
/// <param name="Tokens">Tokens read, separators included; the last ones, too few for a block, are not stored.</param>
/// <param name="Blocks">Blocks stored.</param>
/// <param name="Shards">Files in order of the blocks.</param>
public sealed record SplitManifest(long Documents, long Tokens, long Blocks, IReadOnlyList<ShardFile> Shards);

/// <summary>A file of prepared data.</summary>
public sealed record ShardFile(string Name, long Size, string Sha256);
