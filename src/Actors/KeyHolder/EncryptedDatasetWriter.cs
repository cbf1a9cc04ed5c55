using System.Security.Cryptography;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Export;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>
/// Encrypts an exported split, micro-batch by micro-batch, so memory does not grow with it. <c>progress.json</c> names the shards that are finished; the same encryption
/// run again verifies and keeps them. The owner's file is written first.
/// </summary>
public sealed class EncryptedDatasetWriter
{
    private const string LockName = ".lock";

    private readonly EncryptionPlan _plan;
    private readonly Packing _packing;
    private readonly OwnerExamples _examples;
    private readonly EncryptedManifest _wanted;
    private readonly EncryptedShard?[] _shards;
    private readonly bool _isFinished;

    private EncryptedDatasetWriter(EncryptionPlan plan)
    {
        _plan = plan;
        _packing = plan.Packing.Of(plan.Keys.Parameters);
        var finished = EncryptedManifest.Load(plan.Folder, EncryptedManifest.FileName);
        var existing = finished ?? EncryptedManifest.Load(plan.Folder, EncryptedManifest.ProgressFileName);
        var kept = OwnerExamples.Find(plan.OwnerFile);
        _examples = Examples(kept);
        _wanted = Manifest();
        var differences = Differences(existing, kept);
        if (differences.Length > 0)
        {
            throw new RefusedException($"{plan.Folder} and {plan.OwnerFile} belong to another encryption: {differences}. Delete both, or encrypt into other folders.");
        }

        _isFinished = finished is not null;
        _shards = new EncryptedShard?[_wanted.ShardCount];
        for (var i = 0; i < _shards.Length; i++)
        {
            _shards[i] = existing?.Shards.FirstOrDefault(shard => shard.File.Name == EncryptedShard.NameOf(i) && shard.MicroBatches == _wanted.MicroBatchesOf(i));
        }
    }

    /// <summary>Encrypts a split.</summary>
    /// <param name="plan">What and how.</param>
    /// <param name="progress">Called on this thread after each micro-batch; what it throws ends the work, and finished shards stay.</param>
    /// <param name="cancellation">Looked at between micro-batches; finished shards stay.</param>
    /// <exception cref="RefusedException">The export does not fit the packing, has no labels, the folder holds something else or is held by another writer, or the disk is too small.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static EncryptedSplit Write(EncryptionPlan plan, Action<EncryptionProgress>? progress = null, CancellationToken cancellation = default)
    {
        Check(plan);
        try
        {
            using var held = Hold(plan.Folder);
            return new EncryptedDatasetWriter(plan).Run(progress, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{plan.Folder}: encryption stopped ({e.Message}). Finished shards are kept: put it right and run the same encryption again.", e);
        }
    }

    private static void Check(EncryptionPlan plan)
    {
        var (source, packing) = (plan.Source.Manifest, plan.Packing);
        var what = $"{source.Task} {source.Split}";
        plan.Levels.Require(plan.Keys.Parameters);
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.ShardBytes, 1);
        if (!source.Labels.Present)
        {
            throw new RefusedException($"{what} has no labels, and training and evaluation need them. Encrypt train or a labelled split.");
        }

        if (source.Hidden != packing.Heads * packing.HeadWidth)
        {
            throw new RefusedException($"{what}: expected embedded tokens of {packing.Heads} heads of {packing.HeadWidth}, {packing.Heads * packing.HeadWidth} wide; found {source.Hidden}. Export the data of this model.");
        }

        plan.Keys.Require(source.EmbeddingSha256, packing);
    }

    /// <summary>A killed process lets go of the file by itself. It stays in the folder: removing it would let two writers in.</summary>
    private static FileStream Hold(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new RefusedException($"{folder} cannot be held for encryption ({e.Message}). Another one may be writing there: wait for it; or choose a folder that can be written.", e);
        }
    }

    /// <summary>Why what is there is no part of this encryption; tells nothing of what the owner keeps. Empty when it is one.</summary>
    private string Differences(EncryptedManifest? existing, OwnerExamples? kept)
    {
        if (existing is not null && _wanted.DifferencesFrom(existing) is { Length: > 0 } differences)
        {
            return differences;
        }

        return kept is not null && ManifestFile.Differences(kept, _examples).Length > 0 ? "the owner's file is of other data or keys"
            : existing is not null && kept is null ? "the owner's file is missing"
            : "";
    }

    private OwnerExamples Examples(OwnerExamples? kept)
    {
        var (source, batch, most) = (_plan.Source, _packing.Batch, _packing.Tokens);
        var seed = kept?.OrderSeed ?? (_plan.Training ? _plan.OrderSeed : 0);
        var rows = Enumerable.Range(0, source.Count).Select(source.Describe).ToArray();
        int[] tokens = [.. rows.Select(row => row.TokenCount)];
        var order = _plan.Training ? RowOrder.Shuffled(tokens, most, batch, seed, _plan.MostRows) : RowOrder.InOrder(tokens, most, batch, _plan.MostRows);
        return new OwnerExamples
        {
            Format = OwnerExamples.CurrentFormat,
            Task = source.Manifest.Task,
            Split = source.Manifest.Split,
            DataKey = source.Manifest.DataKey,
            KeySha256 = _plan.Keys.Manifest.KeySha256,
            Classes = source.Manifest.Labels.Classes,
            Batch = batch,
            Rows = order.Real,
            OrderSeed = seed,
            RowNumbers = order.Rows,
            TokenCounts = [.. order.Rows.Select(row => tokens[row])],
            Labels = [.. order.Rows.Select(row => rows[row].Label)],
        };
    }

    private EncryptedManifest Manifest()
    {
        var (source, parameters) = (_plan.Source.Manifest, _plan.Keys.Parameters);
        var outputs = Math.Max(1, source.Labels.Classes.Count);
        var sizes = BundleSizes.Of(parameters, _packing, _plan.Levels, outputs);
        return new EncryptedManifest
        {
            Format = EncryptedManifest.CurrentFormat,
            Task = source.Task,
            Split = source.Split,
            Training = _plan.Training,
            SourceRows = source.Rows,
            Rows = _examples.Rows,
            PaddedRows = _examples.RowNumbers.Count,
            Packing = _plan.Packing,
            Outputs = outputs,
            IsRegression = source.Labels.Kind == ExportLabels.Number,
            Levels = _plan.Levels,
            InputMagnitude = _plan.InputMagnitude ?? Math.Sqrt(source.Hidden),
            ParameterSet = parameters.Name,
            ParametersSha256 = Convert.ToHexStringLower(parameters.Fingerprint.Span),
            KeySha256 = _plan.Keys.Manifest.KeySha256,
            Model = source.Model,
            EmbeddingSha256 = source.EmbeddingSha256,
            MicroBatchesPerShard = (int)Math.Clamp(_plan.ShardBytes / sizes.Bytes, 1, int.MaxValue),
            Shards = [],
        };
    }

    private EncryptedSplit Run(Action<EncryptionProgress>? progress, CancellationToken cancellation)
    {
        foreach (var temporary in Directory.EnumerateFiles(_plan.Folder, ".*.tmp"))
        {
            File.Delete(temporary); // of a process that was killed while it wrote a file
        }

        var kept = Verify(progress, cancellation);
        if (!_isFinished || kept < _shards.Length)
        {
            RequireRoom();
            _examples.Save(_plan.OwnerFile);
            SaveProgress();
            File.Delete(Path.Combine(_plan.Folder, EncryptedManifest.FileName));
            WriteMissing(progress, cancellation);
            Recorded().Save(_plan.Folder, EncryptedManifest.FileName);
        }

        File.Delete(Path.Combine(_plan.Folder, EncryptedManifest.ProgressFileName));
        return new EncryptedSplit(Recorded(), kept, _shards.Length - kept);
    }

    /// <summary>Forgets recorded shards that are damaged or gone; returns how many are good.</summary>
    private int Verify(Action<EncryptionProgress>? progress, CancellationToken cancellation)
    {
        var (good, verified) = (0, 0);
        for (var i = 0; i < _shards.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (_shards[i] is not { } shard)
            {
                continue;
            }

            if (shard.File.Problem(_plan.Folder) is not null)
            {
                _shards[i] = null;
                continue;
            }

            (good, verified) = (good + 1, verified + shard.MicroBatches);
            progress?.Invoke(new EncryptionProgress(_wanted.Split, true, verified, _wanted.MicroBatches, 0));
        }

        return good;
    }

    private void RequireRoom()
    {
        var bytes = _shards.Select((shard, i) => shard is null ? _wanted.MicroBatchesOf(i) : 0L).Sum() * BundleSizes.Of(_plan.Keys.Parameters, _packing, _plan.Levels, _wanted.Outputs).Bytes;
        var free = new DriveInfo(_plan.Folder).AvailableFreeSpace;
        if (bytes > free)
        {
            throw new RefusedException($"{_plan.Folder}: the encrypted data needs {bytes / 1e9:0.0} GB more, but its disk has {free / 1e9:0.0} GB free; make room, choose another folder with he.data=…, or take fewer rows.");
        }
    }

    private void WriteMissing(Action<EncryptionProgress>? progress, CancellationToken cancellation)
    {
        using var encryptor = new MicroBatchEncryptor(_plan.Source, _plan.Keys, _wanted, _packing);
        var (done, bytes) = (_shards.Sum(shard => shard?.MicroBatches ?? 0), 0L);
        for (var i = 0; i < _shards.Length; i++)
        {
            if (_shards[i] is null)
            {
                _shards[i] = WriteShard(encryptor, i, written =>
                {
                    bytes += written;
                    progress?.Invoke(new EncryptionProgress(_wanted.Split, false, ++done, _wanted.MicroBatches, bytes));
                }, cancellation);
                SaveProgress();
            }
        }
    }

    private EncryptedShard WriteShard(MicroBatchEncryptor encryptor, int index, Action<long> written, CancellationToken cancellation)
    {
        var (name, count, first, length) = (EncryptedShard.NameOf(index), _wanted.MicroBatchesOf(index), _wanted.FirstMicroBatch(index), 0L);
        using var hash = SHA256.Create();
        AtomicFile.Write(Path.Combine(_plan.Folder, name), stream =>
        {
            using var hashing = new CryptoStream(stream, hash, CryptoStreamMode.Write, leaveOpen: true);
            for (var i = first; i < first + count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                encryptor.Write(hashing, [.. _examples.RowNumbers.Skip(i * _packing.Batch).Take(_packing.Batch)]);
                written(stream.Position - length);
                length = stream.Position;
            }

            hashing.FlushFinalBlock();
            length = stream.Position;
        });
        return new EncryptedShard(count, new EncryptedFile(name, length, Convert.ToHexStringLower(hash.Hash!)));
    }

    private EncryptedManifest Recorded() => _wanted with { Shards = [.. _shards.OfType<EncryptedShard>()] };

    private void SaveProgress() => Recorded().Save(_plan.Folder, EncryptedManifest.ProgressFileName);
}
