using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Model.Export;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>What is encrypted, and how.</summary>
public sealed record EncryptionPlan
{
    /// <summary>Size at which a new shard begins, by default.</summary>
    public const long DefaultShardBytes = 256L << 20;

    /// <summary>Exported rows, with labels. Stays the caller's.</summary>
    public required ExportReader Source { get; init; }

    /// <summary>The owner's keys. Stay the caller's.</summary>
    public required OwnerKeys Keys { get; init; }

    /// <summary>Where the encrypted split goes: see <see cref="EncryptedDataset.FolderOf"/>.</summary>
    public required string Folder { get; init; }

    /// <summary>Where what only the owner may know goes: see <see cref="OwnerExamples.FileOf"/>.</summary>
    public required string OwnerFile { get; init; }

    /// <summary>Where numbers lie.</summary>
    public required PackingShape Packing { get; init; }

    /// <summary>At which levels.</summary>
    public required EncryptionLevels Levels { get; init; }

    /// <summary>True: rows in a random order and whole micro-batches only; false: rows in their order, the last micro-batch filled up.</summary>
    public required bool Training { get; init; }

    /// <summary>
    /// Of the random order, when the owner's file does not have one yet. It should be secret: with it and the data set, rows and so labels could be told.
    /// </summary>
    public required ulong OrderSeed { get; init; }

    /// <summary>Rows that are encrypted at most; 0: all.</summary>
    public int MostRows { get; init; }

    /// <summary>Bytes of a shard, at most; a shard has at least one micro-batch.</summary>
    public long ShardBytes { get; init; } = DefaultShardBytes;

    /// <summary>The bound on embedded numbers that ciphertexts declare, from the model alone; null: √hidden, which a norm without weights keeps to.</summary>
    public double? InputMagnitude { get; init; }
}

/// <summary>How far an encryption is.</summary>
/// <param name="Split">Name of the split.</param>
/// <param name="IsVerifying">True: shards that are there already are being verified; false: micro-batches are being written.</param>
/// <param name="MicroBatches">Verified, or written and kept.</param>
/// <param name="Count">Micro-batches of the split.</param>
/// <param name="Bytes">Written now.</param>
public readonly record struct EncryptionProgress(string Split, bool IsVerifying, int MicroBatches, int Count, long Bytes);

/// <summary>An encrypted split.</summary>
/// <param name="Manifest">What it holds.</param>
/// <param name="ShardsKept">Shards that were there already and verified.</param>
/// <param name="ShardsWritten">Shards written now.</param>
public sealed record EncryptedSplit(EncryptedManifest Manifest, int ShardsKept, int ShardsWritten);
