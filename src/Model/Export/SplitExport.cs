using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Model.Export;

/// <summary>
/// The folder of one split while it is written, held against other writers. <c>progress.json</c> names the shards that are finished, so that
/// a later attempt keeps them; <c>manifest.json</c> takes its place in the end.
/// </summary>
internal sealed class SplitExport : IDisposable
{
    private const string LockName = ".lock";

    private readonly ExportPlan _plan;
    private readonly IEncodedRows _rows;
    private readonly string _folder;
    private readonly FileStream _lock;
    private readonly ExportManifest _wanted;
    private readonly ExportFile?[] _shards;
    private readonly bool _isFinished;

    private SplitExport(ExportPlan plan, IEncodedRows rows, string folder, FileStream @lock, ExportManifest wanted)
    {
        (_plan, _rows, _folder, _lock, _wanted) = (plan, rows, folder, @lock, wanted);
        var finished = ExportManifest.Load(folder, ExportManifest.FileName);
        var existing = finished ?? ExportManifest.Load(folder, ExportManifest.ProgressFileName);
        if (existing is not null && wanted.DifferencesFrom(existing) is { Length: > 0 } differences)
        {
            throw new RefusedException(
                $"{folder} holds {(finished is null ? "an unfinished" : "an")} export of something else: {differences}. "
                + "Delete that folder, or export into another one.");
        }

        _isFinished = finished is not null;
        _shards = new ExportFile?[wanted.ShardCount];
        for (var i = 0; i < _shards.Length; i++)
        {
            var (name, count) = (ExportLayout.ShardName(i), wanted.RowsOf(i));
            _shards[i] = existing?.Shards.FirstOrDefault(shard => shard.Name == name && shard.Rows == count);
        }
    }

    /// <summary>Bytes that are still to be written, about.</summary>
    public long MissingBytes => _wanted.Layout.RowBytes * _wanted.Rows
        - _shards.Sum(shard => shard is not null && ExportFileCheck.SizeProblem(_folder, shard) is null ? shard.Bytes : 0);

    /// <summary>Takes hold of the split's folder and reads what is there.</summary>
    /// <exception cref="RefusedException">Another writer has it, it cannot be written, or it holds an export of something else.</exception>
    public static SplitExport Open(string folder, ExportPlan plan, IEncodedRows rows, string embeddingHash)
    {
        var held = Hold(folder);
        try
        {
            foreach (var temporary in Directory.EnumerateFiles(folder, ".*.tmp"))
            {
                File.Delete(temporary); // of a process that was killed while it wrote a file
            }

            return new(plan, rows, folder, held, Manifest(plan, rows, embeddingHash));
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Verifies what is there and writes the rest.</summary>
    /// <exception cref="RefusedException">The disk does not take it; what is finished stays.</exception>
    public ExportedSplit Run(Action<ExportProgress>? progress, CancellationToken cancellation)
    {
        var kept = Verify(progress, cancellation);
        var idsAreGood = ExportFileCheck.Problem(_folder, _wanted.Ids, cancellation) is null;
        if (!_isFinished || !idsAreGood || kept < _shards.Length)
        {
            SaveProgress();
            File.Delete(Path.Combine(_folder, ExportManifest.FileName));
            RemoveUnrecorded();
            if (!idsAreGood)
            {
                AtomicFile.Write(Path.Combine(_folder, ExportFile.IdsName), stream => WriteIds(_rows, stream));
            }

            WriteMissing(progress, cancellation);
            Recorded().Save(_folder, ExportManifest.FileName);
        }

        File.Delete(Path.Combine(_folder, ExportManifest.ProgressFileName));
        return new(_folder, Recorded(), kept, _shards.Length - kept);
    }

    /// <summary>Lets go of the folder.</summary>
    public void Dispose() => _lock.Dispose();

    /// <summary>A killed process lets go of the file by itself. It stays in the folder: removing it would let two writers in.</summary>
    private static FileStream Hold(string folder)
    {
        var file = Path.Combine(folder, LockName);
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new RefusedException(
                $"{folder} cannot be held for an export ({e.Message}). Another one may be writing there: wait for it; or choose a folder that can be written.", e);
        }
    }

    private static ExportManifest Manifest(ExportPlan plan, IEncodedRows rows, string embeddingHash)
    {
        var layout = new ExportLayout(rows.Sequence, plan.Arch.Hidden, rows.Task.IsRegression);
        return new()
        {
            Format = ExportManifest.CurrentFormat,
            Task = rows.Task.Name,
            Split = rows.Name,
            Rows = rows.Count,
            Sequence = rows.Sequence,
            Hidden = plan.Arch.Hidden,
            ElementType = "F32",
            RowsPerShard = (int)Math.Clamp(plan.ShardBytes / layout.RowBytes, 1, int.MaxValue),
            Model = plan.Model,
            EmbeddingSha256 = embeddingHash,
            LayerNormEps = plan.Arch.LayerNormEps,
            TokenizerHash = plan.TokenizerHash,
            DataKey = rows.Key,
            Labels = new(rows.Task.IsRegression ? ExportLabels.Number : ExportLabels.Class, EncodedRowsCheck.HasLabels(rows), rows.Task.Labels),
            Padding = new("right", rows.PadId, "padding_token", 1),
            Ids = IdsFile(rows),
            Shards = [],
        };
    }

    private static ExportFile IdsFile(IEncodedRows rows)
    {
        using var hash = SHA256.Create();
        using var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write);
        var bytes = WriteIds(rows, stream);
        stream.FlushFinalBlock();
        return new(ExportFile.IdsName, rows.Count, bytes, Convert.ToHexStringLower(hash.Hash!));
    }

    private static long WriteIds(IEncodedRows rows, Stream stream)
    {
        var bytes = 0L;
        for (var row = 0; row < rows.Count; row++)
        {
            var line = Encoding.UTF8.GetBytes(rows.Id(row) + "\n");
            stream.Write(line);
            bytes += line.Length;
        }

        return bytes;
    }

    /// <summary>Forgets recorded shards that are damaged or gone; returns how many are good.</summary>
    private int Verify(Action<ExportProgress>? progress, CancellationToken cancellation)
    {
        var good = 0;
        for (var i = 0; i < _shards.Length; i++)
        {
            if (_shards[i] is not { } shard)
            {
                continue;
            }

            if (ExportFileCheck.Problem(_folder, shard, cancellation) is not null)
            {
                _shards[i] = null;
                continue;
            }

            good++;
            progress?.Invoke(new(_wanted.Split, true, _wanted.FirstRow(i) + shard.Rows, _wanted.Rows));
        }

        return good;
    }

    private void WriteMissing(Action<ExportProgress>? progress, CancellationToken cancellation)
    {
        var writer = new ExportShardWriter(_plan.Embedding, _wanted.Layout, _rows, _plan.RowsPerBlock(_rows.Sequence));
        var before = _shards.Sum(shard => shard?.Rows ?? 0);
        for (var i = 0; i < _shards.Length; i++)
        {
            if (_shards[i] is null)
            {
                var shard = writer.Write(
                    Path.Combine(_folder, ExportLayout.ShardName(i)), _wanted.FirstRow(i), _wanted.RowsOf(i),
                    rows => progress?.Invoke(new(_wanted.Split, false, before + rows, _wanted.Rows)), cancellation);
                before += shard.Rows;
                _shards[i] = shard;
                SaveProgress();
            }
        }
    }

    private ExportManifest Recorded() => _wanted with { Shards = [.. _shards.OfType<ExportFile>()] };

    private void SaveProgress() => Recorded().Save(_folder, ExportManifest.ProgressFileName);

    /// <summary>Shards of which nothing is known to be good.</summary>
    private void RemoveUnrecorded()
    {
        var recorded = _shards.OfType<ExportFile>().Select(shard => shard.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(_folder, "rows-?????.safetensors").Where(file => !recorded.Contains(Path.GetFileName(file))))
        {
            File.Delete(file);
        }
    }
}
