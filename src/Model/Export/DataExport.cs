using System.Security.Cryptography;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Export;

/// <summary>
/// Writes the embedded inputs of a task (token table, positions and norm, without dropout) with masks, labels and ids: what a client encrypts.
/// A split is streamed, so memory does not grow with it; see docs/export.md for the files.
/// </summary>
public static class DataExport
{
    /// <summary>
    /// Writes <c>folder/task/split</c> for each split. Shards of an earlier attempt with the same plan are verified and kept, damaged or missing
    /// ones are written again; a finished export is verified only. Nothing is written when a split is refused.
    /// </summary>
    /// <param name="folder">Root of exports; made when there is none.</param>
    /// <param name="plan">What is exported.</param>
    /// <param name="progress">Called on this thread after each block of rows; what it throws ends the export, and finished shards stay.</param>
    /// <param name="cancellation">Looked at between blocks; finished shards stay.</param>
    /// <returns>The splits, in the plan's order.</returns>
    /// <exception cref="RefusedException">
    /// Rows do not fit the model, a folder holds an export of something else or is held by another writer, or the disk is too small.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IReadOnlyList<ExportedSplit> Write(
        string folder, ExportPlan plan, Action<ExportProgress>? progress = null, CancellationToken cancellation = default)
    {
        plan.Validate();
        var embeddingHash = EmbeddingHash(plan.Embedding);
        var splits = new List<SplitExport>();
        try
        {
            foreach (var rows in plan.Splits)
            {
                splits.Add(SplitExport.Open(FolderOf(folder, rows.Task.Name, rows.Name), plan, rows, embeddingHash));
            }

            RequireRoom(folder, splits.Sum(split => split.MissingBytes));
            return [.. splits.Select(split => split.Run(progress, cancellation))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{folder}: the export stopped ({e.Message}). Finished shards are kept: put it right and run the same export again.", e);
        }
        finally
        {
            splits.ForEach(split => split.Dispose());
        }
    }

    /// <summary>Where a split is.</summary>
    public static string FolderOf(string folder, string task, string split) => Path.Combine(Path.GetFullPath(folder), task, split);

    /// <summary>SHA-256 of the embedding's weights as a safetensors file without metadata, learned or frozen.</summary>
    public static string EmbeddingHash(EmbeddingUnit embedding)
    {
        using var hash = SHA256.Create();
        using var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write);
        SafeTensors.Write(stream, embedding.Parameters.Concat(embedding.Frozen).Select(parameter => (parameter.Name, parameter.Value)));
        stream.FlushFinalBlock();
        return Convert.ToHexStringLower(hash.Hash!);
    }

    private static void RequireRoom(string folder, long bytes)
    {
        var free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        if (bytes > free)
        {
            throw new RefusedException(
                $"{folder}: the export needs {bytes / 1e9:0.0} GB more, but its disk has {free / 1e9:0.0} GB free; make room or choose another folder.");
        }
    }
}
