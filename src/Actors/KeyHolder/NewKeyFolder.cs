using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>
/// A private folder in which keys are made beside where they will be, and which gets its name in one rename. What a killed process left is removed by the
/// next: it holds a lock for as long as it lives.
/// </summary>
internal sealed class NewKeyFolder : IDisposable
{
    private const string LockName = ".lock";
    private readonly string _target;
    private readonly FileStream _lock;

    private NewKeyFolder(string path, string target, FileStream held) => (Path, _target, _lock) = (path, target, held);

    /// <summary>The folder to write into.</summary>
    public string Path { get; }

    /// <param name="target">The name it gets in the end.</param>
    /// <param name="bytes">What will be written, about.</param>
    /// <exception cref="RefusedException">The disk is too small.</exception>
    public static NewKeyFolder Beside(string target, long bytes)
    {
        var (parent, mark) = (System.IO.Path.GetDirectoryName(target)!, $".{System.IO.Path.GetFileName(target)}.partial-");
        Directory.CreateDirectory(parent);
        foreach (var abandoned in Directory.EnumerateDirectories(parent, mark + "*"))
        {
            RemoveAbandoned(abandoned);
        }

        var free = new DriveInfo(parent).AvailableFreeSpace;
        if (bytes > free)
        {
            throw new RefusedException($"{target}: the keys take {bytes / 1e9:0.0} GB, but the disk has {free / 1e9:0.0} GB free. Make room or choose another folder with he.keys=….");
        }

        var path = System.IO.Path.Combine(parent, $"{mark}{Guid.NewGuid():N}");
        PrivateFile.CreateFolder(path);
        return new NewKeyFolder(path, target, new FileStream(System.IO.Path.Combine(path, LockName), FileMode.CreateNew, FileAccess.Write, FileShare.None));
    }

    /// <summary>Gives the folder its name.</summary>
    /// <exception cref="IOException">Something else got that name meanwhile.</exception>
    public void Publish()
    {
        _lock.Dispose();
        File.Delete(_lock.Name);
        AtomicFile.SyncFolder(Path);
        Directory.Move(Path, _target);
        AtomicFile.SyncFolder(System.IO.Path.GetDirectoryName(_target)!);
    }

    /// <summary>Removes the folder unless it was published.</summary>
    public void Dispose()
    {
        _lock.Dispose();
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }

    private static void RemoveAbandoned(string folder)
    {
        try
        {
            using (new FileStream(System.IO.Path.Combine(folder, LockName), FileMode.Open, FileAccess.Write, FileShare.None))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        catch (IOException)
        {
            // In use by a process that is alive, or not yet locked by it.
        }
    }
}
