using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>
/// What a committed checkpoint consists of: where the run stood, and the hash of every unit's state in the <see cref="ContentStore"/>.
/// Equal manifests have equal JSON, so a manifest's own hash names the checkpoint.
/// </summary>
public sealed record CheckpointManifest
{
    /// <summary>The one layout this program writes and reads.</summary>
    public const int CurrentVersion = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        IgnoreReadOnlyProperties = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    public int Version { get; init; } = CurrentVersion;

    /// <summary>Name of the run.</summary>
    public required string Run { get; init; }

    /// <summary>Steps done, skipped ones included.</summary>
    public required long Step { get; init; }

    /// <summary>Tokens trained on.</summary>
    public required long Tokens { get; init; }

    /// <summary>Sequences taken from the data: where the next step begins.</summary>
    public required long Sequences { get; init; }

    /// <summary>Wall-clock seconds of training used.</summary>
    public required double Seconds { get; init; }

    public required ulong Seed { get; init; }

    public required BertConfig Arch { get; init; }

    /// <summary><see cref="HashOf"/> the recipe that the run began with.</summary>
    public required string TrainHash { get; init; }

    /// <summary>Updates applied; <see cref="AdamW.StepCount"/>.</summary>
    public required long OptimiserStep { get; init; }

    /// <summary>Unit name → hash of its <see cref="UnitStateFile"/>.</summary>
    public required IReadOnlyDictionary<string, string> Units { get; init; }

    /// <summary>SHA-256 of tokenizer.json.</summary>
    public required string TokenizerHash { get; init; }

    /// <summary>Key of the prepared data set.</summary>
    public required string DataKey { get; init; }

    /// <summary>Stores the manifest.</summary>
    /// <returns>Its hash.</returns>
    public string Write(ContentStore store) => store.Put(ToJson());

    /// <summary>Reads a stored manifest.</summary>
    /// <exception cref="RefusedException">The object is missing, damaged or not a manifest of this version; the message names its file.</exception>
    public static CheckpointManifest Read(ContentStore store, string hash)
    {
        using var stream = store.Open(hash);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return Parse(bytes, store.PathOf(hash));
    }

    /// <summary>Deterministic JSON: members in the order of this record, units by ordinal name.</summary>
    public byte[] ToJson() =>
        JsonSerializer.SerializeToUtf8Bytes(this with { Units = new SortedDictionary<string, string>(Units.ToDictionary(), StringComparer.Ordinal) }, Json);

    /// <summary>Reads the JSON of a manifest, strictly: no member may be missing, unknown, null or twice there.</summary>
    /// <param name="json">UTF-8 text.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="RefusedException">Says what is wrong with <paramref name="source"/>.</exception>
    public static CheckpointManifest Parse(ReadOnlySpan<byte> json, string source)
    {
        CheckpointManifest manifest;
        try
        {
            manifest = JsonSerializer.Deserialize<CheckpointManifest>(json, Json) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            throw new RefusedException($"{source} is not a checkpoint manifest of version {CurrentVersion}: {e.Message}", e);
        }

        if (manifest.Version != CurrentVersion)
        {
            throw new RefusedException(
                $"{source} is a checkpoint manifest of version {manifest.Version}; this program reads version {CurrentVersion}. Use the program that wrote it.");
        }

        foreach (var (unit, hash) in manifest.Units)
        {
            if (!ContentStore.IsHash(hash))
            {
                throw new RefusedException($"{source}: unit {unit} has the hash \"{hash}\", which is not a SHA-256 in lower-case hexadecimal digits.");
            }
        }

        return manifest;
    }

    /// <summary>Hash of a recipe, to tell whether a run goes on with the one it began with.</summary>
    public static string HashOf(TrainOptions options) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(options, Json)));
}
