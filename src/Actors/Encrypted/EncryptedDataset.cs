using ActorTrainer.He.Scheme;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// The micro-batches of an encrypted split, in any order; needs no keys. Presence and size of all files are checked on opening, a shard's checksum when the first
/// of its micro-batches is read. Several threads may read at a time.
/// </summary>
public sealed class EncryptedDataset
{
    private readonly string _folder;
    private readonly CkksContext _context;
    private readonly BundleSizes _sizes;
    private readonly CipherPayloadReader _reader;
    private readonly Lock _gate = new();
    private readonly bool[] _verified;

    private EncryptedDataset(string folder, EncryptedManifest manifest, CkksContext context, BundleSizes sizes)
    {
        (_folder, Manifest, _context, _sizes) = (folder, manifest, context, sizes);
        _reader = new CipherPayloadReader(new CkksContexts(context));
        _verified = new bool[manifest.ShardCount];
    }

    /// <summary>What the split holds.</summary>
    public EncryptedManifest Manifest { get; }

    /// <summary>Micro-batches, of <see cref="PackingShape.Batch"/> rows each.</summary>
    public int Count => Manifest.MicroBatches;

    /// <summary>Opens an encrypted split.</summary>
    /// <param name="folder">See <see cref="FolderOf"/>.</param>
    /// <param name="context">Of the parameters that it was encrypted with; must live as long as what is read.</param>
    /// <exception cref="RefusedException">Unfinished, damaged, a file is missing, or of other parameters; names the file and what was expected.</exception>
    public static EncryptedDataset Open(string folder, CkksContext context)
    {
        folder = Path.GetFullPath(folder);
        var manifest = EncryptedManifest.Load(folder);
        var own = Convert.ToHexStringLower(context.Parameters.Fingerprint.Span);
        if (manifest.ParametersSha256 != own)
        {
            throw new RefusedException($"{folder}: expected data encrypted with {context.Parameters.Name} ({own}), found {manifest.ParameterSet} ({manifest.ParametersSha256}). Choose that set with he.set=…, or encrypt the data again.");
        }

        manifest.Levels.Require(context.Parameters);
        var sizes = BundleSizes.Of(context.Parameters, manifest.Packing.Of(context.Parameters), manifest.Levels, manifest.Outputs);
        foreach (var shard in manifest.Shards)
        {
            Require(shard.File.Bytes == shard.MicroBatches * sizes.Bytes
                ? shard.File.SizeProblem(folder)
                : $"{Path.Combine(folder, EncryptedManifest.FileName)}: expected {shard.MicroBatches * sizes.Bytes} bytes for {shard.File.Name}, found {shard.File.Bytes}");
        }

        return new EncryptedDataset(folder, manifest, context, sizes);
    }

    /// <summary>Where a split is.</summary>
    public static string FolderOf(string folder, string task, string split) => Path.Combine(Path.GetFullPath(folder), task, split);

    /// <summary>Refuses data of other keys, another model or another task before anything is computed.</summary>
    /// <param name="keyHash">See <see cref="KeyManifest.KeySha256"/>.</param>
    /// <param name="embeddingHash">Of the model's embedding.</param>
    /// <param name="task">Name of the task.</param>
    /// <param name="packing">Of the program.</param>
    /// <exception cref="RefusedException">Names what was expected and found.</exception>
    public void Require(string keyHash, string embeddingHash, string task, PackingShape packing)
    {
        Same("keys", Manifest.KeySha256, keyHash);
        Same("the embedding", Manifest.EmbeddingSha256, embeddingHash);
        Same("the task", Manifest.Task, task);
        Same("the packing", Manifest.Packing.ToString(), packing.ToString());

        void Same(string what, string found, string expected)
        {
            if (found != expected)
            {
                throw new RefusedException($"{_folder}: expected data for {what} {expected}, found {found}. Encrypt the data again with these, or choose others.");
            }
        }
    }

    /// <summary>Reads a micro-batch; the caller owns both bundles.</summary>
    /// <param name="microBatch">0 … <see cref="Count"/> − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such micro-batch.</exception>
    /// <exception cref="RefusedException">Its shard is damaged; names the file and what was expected.</exception>
    public (CipherPayload Inputs, CipherPayload Targets) Read(int microBatch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(microBatch);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(microBatch, Count);
        var shard = microBatch / Manifest.MicroBatchesPerShard;
        var path = Path.Combine(_folder, Manifest.Shards[shard].File.Name);
        CipherPayload? inputs = null;
        try
        {
            Verify(shard);
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            stream.Position = (microBatch - Manifest.FirstMicroBatch(shard)) * _sizes.Bytes;
            inputs = Bundle(stream, _sizes.Inputs, "inputs");
            return (inputs, Bundle(stream, _sizes.Targets, "targets"));
        }
        catch (Exception e)
        {
            inputs?.Dispose();
            throw e is InvalidDataException or IOException or UnauthorizedAccessException ? new RefusedException($"{path}: micro-batch {microBatch}: {e.Message}", e) : e;
        }
    }

    /// <summary>Verifies the checksums of all shards that were not read yet.</summary>
    /// <exception cref="RefusedException">One is damaged; names the file and what was expected.</exception>
    public void Verify(CancellationToken cancellation = default)
    {
        for (var shard = 0; shard < _verified.Length; shard++)
        {
            cancellation.ThrowIfCancellationRequested();
            Verify(shard);
        }
    }

    private static void Require(string? problem)
    {
        if (problem is not null)
        {
            throw new RefusedException($"{problem}. Run the same encrypt again to restore it.");
        }
    }

    private void Verify(int shard)
    {
        lock (_gate)
        {
            if (!_verified[shard])
            {
                Require(Manifest.Shards[shard].File.Problem(_folder));
                _verified[shard] = true;
            }
        }
    }

    private CipherPayload Bundle(Stream stream, IReadOnlyList<int> levels, string what)
    {
        var payload = (CipherPayload)_reader.Read(stream);
        if (payload.Ciphertexts.Select(ciphertext => ciphertext.Level).SequenceEqual(levels))
        {
            return payload;
        }

        var found = string.Join(", ", payload.Ciphertexts.Select(ciphertext => ciphertext.Level));
        payload.Dispose();
        throw new InvalidDataException($"expected {what} at levels {string.Join(", ", levels)}, found {found}. Encrypt the data again with {_context.Parameters.Name}.");
    }
}
