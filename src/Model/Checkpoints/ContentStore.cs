using System.Security.Cryptography;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>
/// Files named by the SHA-256 of their content: <c>objects/ab/cdef…</c>. A name exists only once its content is complete and on disk, equal
/// content is stored once, and damage is noticed when a file is read. Several threads and processes may use one store at a time.
/// </summary>
public sealed class ContentStore : IObjectStore
{
    private readonly string _objects;

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
    public string Put(Action<Stream> write)
    {
        var temporary = Path.Combine(_objects, $"{Guid.NewGuid():N}.tmp");
        try
        {
            // The file stays open, and with it locked against the clean-up of another process, until it has its name.
            using var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Delete, 1 << 16);
            using var hashing = new HashingStream(file);
            write(hashing);
            file.Flush();
            var hash = hashing.Hash();
            var path = PathOf(hash);
            if (new FileInfo(path) is { Exists: true } same && same.Length == file.Length)
            {
                File.Delete(temporary);
                return hash;
            }

            file.Flush(flushToDisk: true);
            var folder = Path.GetDirectoryName(path)!;
            Directory.CreateDirectory(folder);
            File.Move(temporary, path, overwrite: true);
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

    /// <summary>
    /// Removes all objects but those to keep. Call it only while nobody writes a checkpoint: an object that no manifest names yet is removed.
    /// </summary>
    /// <returns>Bytes freed.</returns>
    public long Collect(IEnumerable<string> keepHashes)
    {
        var keep = keepHashes.Select(PathOf).ToHashSet();
        var freed = 0L;
        foreach (var folder in Directory.GetDirectories(_objects))
        {
            foreach (var file in new DirectoryInfo(folder).GetFiles())
            {
                if (!keep.Contains(file.FullName))
                {
                    freed += file.Length;
                    file.Delete();
                }
            }
        }

        return freed;
    }

    /// <summary>Whether a text is the name of an object: 64 lower-case hexadecimal digits.</summary>
    public static bool IsHash(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);

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
