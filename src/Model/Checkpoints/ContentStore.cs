using System.Security.Cryptography;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>
/// Files named by the SHA-256 of their content: <c>objects/ab/cdef…</c>. A name exists only once its content is complete and on disk, equal
/// content is stored once, and damage is noticed when a file is read. Several threads and processes may use one store at a time.
/// Objects may have a generation, the step of the checkpoint they were stored for: those of later generations survive a collection.
/// </summary>
public sealed class ContentStore : IObjectStore
{
    /// <summary>Of an object that was stored without one: older than all generations.</summary>
    public const long NoGeneration = -1;

    /// <summary>Largest generation.</summary>
    public const long MaxGeneration = 999_999_999;

    private const int MostAttempts = 10;

    private readonly string _objects;
    private readonly Lock _naming = new();

    /// <summary>Opens the store in <paramref name="folder"/>, making it when there is none, and removes what a killed writer left behind.</summary>
    public ContentStore(string folder)
    {
        _objects = Path.Combine(Path.GetFullPath(folder), "objects");
        Directory.CreateDirectory(_objects);
        foreach (var temporary in Directory.EnumerateFiles(_objects, "*.tmp"))
        {
            RemoveUnlessInUse(temporary);
        }
    }

    /// <inheritdoc/>
    public string Put(Action<Stream> write) => Put(write, null, NoGeneration);

    /// <summary>Stores what <paramref name="write"/> writes (forward only) for a generation and returns its hash; an object keeps the latest generation it was stored for.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The generation is not in 0 … <see cref="MaxGeneration"/>.</exception>
    public string Put(Action<Stream> write, long generation)
    {
        RequireGeneration(generation, 0);
        return Put(write, null, generation);
    }

    /// <summary>Stores an object whose hash is known, in place of a damaged one if there is one.</summary>
    /// <param name="hash">What the content must have.</param>
    /// <param name="write">Writes the content, forward only.</param>
    /// <param name="generation">0 … <see cref="MaxGeneration"/>, or <see cref="NoGeneration"/>.</param>
    /// <exception cref="InvalidDataException">The content has another hash; nothing has been stored.</exception>
    public void Put(string hash, Action<Stream> write, long generation)
    {
        _ = PathOf(hash);
        RequireGeneration(generation, NoGeneration);
        Put(write, hash, generation);
    }

    private string Put(Action<Stream> write, string? expected, long generation)
    {
        // The file stays open, and with it locked against the clean-up of another process, until it has its name.
        using var file = Create();
        var temporary = file.Name;
        try
        {
            using var hashing = new HashingStream(file);
            write(hashing);
            file.Flush();
            var hash = hashing.Hash();
            if (expected is not null && hash != expected)
            {
                throw new InvalidDataException($"the content has SHA-256 {hash}, expected was {expected}");
            }

            var path = PathOf(hash);
            if (expected is null && generation == NoGeneration && new FileInfo(path) is { Exists: true } same && same.Length == file.Length)
            {
                File.Delete(temporary);
                return hash;
            }

            file.Flush(flushToDisk: true);
            var folder = Path.GetDirectoryName(path)!;
            Directory.CreateDirectory(folder);
            lock (_naming)
            {
                ObjectGeneration.Set(temporary, Math.Max(generation, ObjectGeneration.Of(path)));
                File.Move(temporary, path, overwrite: true);
            }

            AtomicFile.SyncFolder(folder);
            return hash;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Stores bytes.</summary>
    public string Put(ReadOnlyMemory<byte> content) => Put(stream => stream.Write(content.Span));

    /// <summary>Opens an object for reading, after its content has been checked against its name.</summary>
    /// <exception cref="RefusedException">There is no such object, or its file is damaged; the message names the file.</exception>
    public Stream Open(string hash)
    {
        var path = PathOf(hash);
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RefusedException($"{path} is missing: a checkpoint refers to it. Restore the file, or continue from another checkpoint.", e);
        }

        try
        {
            var found = Convert.ToHexStringLower(SHA256.HashData(file));
            if (found != hash)
            {
                throw new RefusedException(
                    $"{path} is damaged: its content has SHA-256 {found}, but its name says {hash}. "
                    + "Restore the file, or continue from another checkpoint.");
            }

            file.Position = 0;
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Verified(string hash)
    {
        using var checkedNow = Open(hash);
        return PathOf(hash);
    }

    /// <summary>Whether an object is there (its content is not looked at).</summary>
    public bool Contains(string hash) => File.Exists(PathOf(hash));

    /// <summary>File of an object, whether it is there or not.</summary>
    /// <exception cref="ArgumentException">Not 64 lower-case hexadecimal digits.</exception>
    public string PathOf(string hash) => IsHash(hash)
        ? Path.Combine(_objects, hash[..2], hash[2..])
        : throw new ArgumentException($"\"{hash}\" is not a SHA-256 in lower-case hexadecimal digits.", nameof(hash));

    /// <summary>Generation of an object; <see cref="NoGeneration"/> when it has none or is not there.</summary>
    public long GenerationOf(string hash) => ObjectGeneration.Of(PathOf(hash));

    /// <summary>Gives an object a generation unless it has a later one.</summary>
    /// <returns>False: there is no such object.</returns>
    public bool Raise(string hash, long generation)
    {
        RequireGeneration(generation, NoGeneration);
        var path = PathOf(hash);
        lock (_naming)
        {
            if (!File.Exists(path))
            {
                return false;
            }

            ObjectGeneration.Set(path, Math.Max(generation, ObjectGeneration.Of(path)));
            return true;
        }
    }

    /// <summary>
    /// Removes all objects but those to keep. Call it only while nobody writes a checkpoint: an object that no manifest names yet is removed.
    /// </summary>
    /// <returns>Bytes freed.</returns>
    public long Collect(IEnumerable<string> keepHashes) => Collect(keepHashes, MaxGeneration);

    /// <summary>
    /// Removes all objects but those to keep and those of a later generation than <paramref name="upTo"/>; checkpoints of later generations
    /// may be written at the same time.
    /// </summary>
    /// <returns>Bytes freed.</returns>
    public long Collect(IEnumerable<string> keepHashes, long upTo)
    {
        var keep = keepHashes.Select(PathOf).ToHashSet();
        return Directory.GetDirectories(_objects)
            .SelectMany(folder => new DirectoryInfo(folder).GetFiles())
            .Where(file => !keep.Contains(file.FullName))
            .Sum(file => Remove(file, upTo));
    }

    /// <summary>Whether a text is the name of an object: 64 lower-case hexadecimal digits.</summary>
    public static bool IsHash(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);

    /// <summary>Removes an object unless it is of a later generation.</summary>
    private long Remove(FileInfo file, long upTo)
    {
        lock (_naming)
        {
            if (ObjectGeneration.Of(file.FullName) > upTo)
            {
                return 0;
            }

            // Another process may be storing it again just now, so what has been taken away is looked at once more.
            var aside = new FileInfo(NewTemporary());
            try
            {
                File.Move(file.FullName, aside.FullName);
                var length = aside.Length;
                if (ObjectGeneration.Of(aside.FullName) > upTo && !File.Exists(file.FullName))
                {
                    File.Move(aside.FullName, file.FullName, overwrite: true);
                    return 0;
                }

                aside.Delete();
                return length;
            }
            catch (FileNotFoundException)
            {
                return 0; // somebody else has removed it
            }
        }
    }

    /// <summary>Creates a temporary file that nobody else takes for what a killed writer has left.</summary>
    private FileStream Create()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var file = new FileStream(NewTemporary(), FileMode.CreateNew, FileAccess.Write, FileShare.Delete, 1 << 16);
                if (File.Exists(file.Name))
                {
                    return file;
                }

                // Removed between its creation and its lock.
                file.Dispose();
            }
            catch (IOException e) when (e is not DirectoryNotFoundException && attempt < MostAttempts)
            {
                // Locked by somebody's clean-up before it could be locked here; or the disk fails, then it will again.
            }
        }
    }

    private string NewTemporary() => Path.Combine(_objects, $"{Guid.NewGuid():N}.tmp");

    private static void RequireGeneration(long generation, long least)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(generation, least);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(generation, MaxGeneration);
    }

    private static void RemoveUnlessInUse(string temporary)
    {
        try
        {
            using (new FileStream(temporary, FileMode.Open, FileAccess.Write, FileShare.None))
            {
                File.Delete(temporary);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody is writing it, or has just finished.
        }
    }
}
