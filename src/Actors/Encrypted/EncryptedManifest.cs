using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>Some micro-batches of a data set, one after the other in a file.</summary>
/// <param name="MicroBatches">How many.</param>
/// <param name="File">The file.</param>
public sealed record EncryptedShard(int MicroBatches, EncryptedFile File)
{
    /// <summary>Name of a shard's file.</summary>
    public static string NameOf(int index) => $"micro-batches-{index:D5}.bundles";
}

/// <summary>
/// What the folder of an encrypted split holds: <c>manifest.json</c>, written last, so a folder without it is unfinished. All of it is public: neither labels nor
/// ids nor lengths of rows, nor what their order follows from.
/// </summary>
public sealed record EncryptedManifest
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "manifest.json";

    /// <summary>Name of the same while shards are still missing.</summary>
    public const string ProgressFileName = "progress.json";

    /// <summary>The format this build writes and reads.</summary>
    public const int CurrentFormat = 1;

    private const string Remedy = "Delete the folder and encrypt the data again.";

    /// <summary>Version of the format.</summary>
    public required int Format { get; init; }

    /// <summary>Name of the task.</summary>
    public required string Task { get; init; }

    /// <summary>Name of the split.</summary>
    public required string Split { get; init; }

    /// <summary>True: a random order, and a last micro-batch that would not be full is left out. False: the file's order, the last one filled up.</summary>
    public required bool Training { get; init; }

    /// <summary>Rows of the split that was encrypted.</summary>
    public required int SourceRows { get; init; }

    /// <summary>Rows taken: those of at most as many tokens as the packing has, in whole micro-batches for training.</summary>
    public required int Rows { get; init; }

    /// <summary>The same with the repetitions of the last row that fill up the last micro-batch.</summary>
    public required int PaddedRows { get; init; }

    /// <summary>Where numbers lie; its batch is the rows of every micro-batch.</summary>
    public required PackingShape Packing { get; init; }

    /// <summary>Ciphertexts of targets: classes, or 1 for a number.</summary>
    public required int Outputs { get; init; }

    /// <summary>True: the label is a real number.</summary>
    public required bool IsRegression { get; init; }

    /// <summary>Levels of the ciphertexts.</summary>
    public required EncryptionLevels Levels { get; init; }

    /// <summary>The bound on embedded numbers that ciphertexts declare.</summary>
    public required double InputMagnitude { get; init; }

    /// <summary>Name of the parameter set.</summary>
    public required string ParameterSet { get; init; }

    /// <summary>SHA-256 of degree and primes.</summary>
    public required string ParametersSha256 { get; init; }

    /// <summary>Name of the keys: see <see cref="KeyManifest.KeySha256"/>.</summary>
    public required string KeySha256 { get; init; }

    /// <summary>Name of the base model.</summary>
    public required string Model { get; init; }

    /// <summary>Hash of its embedding.</summary>
    public required string EmbeddingSha256 { get; init; }

    /// <summary>Micro-batches of every shard but the last.</summary>
    public required int MicroBatchesPerShard { get; init; }

    /// <summary>Shards in the order of the micro-batches.</summary>
    public required IReadOnlyList<EncryptedShard> Shards { get; init; }

    /// <summary>Micro-batches of all shards.</summary>
    internal int MicroBatches => PaddedRows / Packing.Batch;

    /// <summary>Shards that make up all micro-batches.</summary>
    internal int ShardCount => (MicroBatches + MicroBatchesPerShard - 1) / MicroBatchesPerShard;

    /// <summary>Reads and checks the manifest of a finished split.</summary>
    /// <exception cref="RefusedException">Missing, damaged, or of another format.</exception>
    public static EncryptedManifest Load(string folder)
    {
        var manifest = Load(folder, FileName) ?? throw new RefusedException(
            $"{folder}: no finished encrypted data there (no {FileName})"
            + (File.Exists(Path.Combine(folder, ProgressFileName)) ? "; encryption was begun: run the same encrypt again to finish it." : "; encrypt the data first."));
        return manifest.Shards.Count == manifest.ShardCount
            && manifest.Shards.Select((shard, i) => (shard, i)).All(pair => pair.shard.File.Name == EncryptedShard.NameOf(pair.i) && pair.shard.MicroBatches == manifest.MicroBatchesOf(pair.i))
            ? manifest
            : throw new RefusedException($"{Path.Combine(folder, FileName)}: its shards do not make up its {manifest.MicroBatches} micro-batches. {Remedy}");
    }

    /// <summary>The finished or unfinished manifest of that name, or null when there is none.</summary>
    internal static EncryptedManifest? Load(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        var manifest = ManifestFile.Load<EncryptedManifest>(path, CurrentFormat, m => m.Format, Remedy);
        return manifest is null or { SourceRows: > 0, Rows: > 0, Outputs: > 0, MicroBatchesPerShard: > 0, Packing: { Tokens: > 0, Batch: > 0, Heads: > 0, HeadWidth: > 0 } }
            && (manifest is null || (manifest.PaddedRows >= manifest.Rows && manifest.PaddedRows % manifest.Packing.Batch == 0))
            ? manifest
            : throw new RefusedException($"{path}: its sizes are not those of encrypted data. {Remedy}");
    }

    internal void Save(string folder, string name) => ManifestFile.Save(Path.Combine(folder, name), this);

    /// <summary>First micro-batch of a shard.</summary>
    internal int FirstMicroBatch(int shard) => shard * MicroBatchesPerShard;

    /// <summary>Micro-batches of a shard.</summary>
    internal int MicroBatchesOf(int shard) => Math.Min(MicroBatchesPerShard, MicroBatches - FirstMicroBatch(shard));

    /// <summary>What differs apart from the shards, for people; empty when nothing does.</summary>
    internal string DifferencesFrom(EncryptedManifest existing) => ManifestFile.Differences(existing with { Shards = [] }, this with { Shards = [] });
}
