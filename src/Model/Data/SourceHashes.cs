using System.Security.Cryptography;
using System.Text.Json;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Data;

/// <summary>
/// SHA-256 of source files, remembered by full path, size and modification time in <c>source-hashes.json</c> of the cache folder,
/// so that a large corpus is not read again to find that it is unchanged. A file that was modified within the last seconds is
/// always read: a further change could leave its time as it is.
/// </summary>
internal static class SourceHashes
{
    private const string FileName = "source-hashes.json";
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(3);

    /// <summary>Hashes the files, in order.</summary>
    /// <param name="split">"train" or "heldout", noted in the result.</param>
    /// <exception cref="RefusedException">A file cannot be read.</exception>
    public static List<SourceFile> Of(IEnumerable<string> files, string split, string cache, CancellationToken cancellation)
    {
        var index = Path.Combine(cache, FileName);
        var known = Load(index);
        var isChanged = false;
        var result = new List<SourceFile>();
        foreach (var file in files)
        {
            cancellation.ThrowIfCancellationRequested();
            var path = Path.GetFullPath(file);
            using var stream = InputFile.Open(file);
            var (size, time) = State(stream);
            if (!known.TryGetValue(path, out var entry) || entry.Size != size || entry.Time != time)
            {
                entry = new(size, time, Hash(stream, cancellation));
                if (DateTime.UtcNow - new DateTime(time, DateTimeKind.Utc) > Settled && State(stream) == (size, time))
                {
                    known[path] = entry;
                    isChanged = true;
                }
            }

            result.Add(new(Path.GetFileName(file), size, entry.Sha256, split) { Path = file, Time = time });
        }

        if (isChanged)
        {
            AtomicFile.WriteText(index, JsonSerializer.Serialize(known));
        }

        return result;
    }

    /// <summary>Refuses when a file changed since it was hashed.</summary>
    public static void CheckUnchanged(IEnumerable<SourceFile> sources)
    {
        foreach (var source in sources)
        {
            using var stream = InputFile.Open(source.Path);
            if (State(stream) != (source.Size, source.Time))
            {
                throw new RefusedException($"{source.Path}: changed while it was being prepared; run the command again once it is complete.");
            }
        }
    }

    /// <summary>Size and modification time of the opened file itself, whatever links led to it.</summary>
    private static (long Size, long Time) State(FileStream stream) =>
        (RandomAccess.GetLength(stream.SafeFileHandle), File.GetLastWriteTimeUtc(stream.SafeFileHandle).Ticks);

    private static string Hash(FileStream stream, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static SortedDictionary<string, Entry> Load(string index)
    {
        try
        {
            var entries = JsonSerializer.Deserialize<Dictionary<string, Entry>>(File.ReadAllText(index));
            return new(entries ?? [], StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            // Missing or damaged: only a memory of earlier work, so everything is hashed anew.
            return new(StringComparer.Ordinal);
        }
    }

    private sealed record Entry(long Size, long Time, string Sha256);
}
