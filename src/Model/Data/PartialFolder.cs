namespace ActorTrainer.Model.Data;

/// <summary>
/// A folder in which prepared data is made before it gets its name in one rename. A lock file beside it is held for as long as
/// the process works on it, so that another process can tell an abandoned folder from one in use.
/// </summary>
internal sealed class PartialFolder : IDisposable
{
    private const string Mark = ".partial-";
    private readonly FileStream _lock;

    private PartialFolder(string path, FileStream @lock)
    {
        Path = path;
        _lock = @lock;
    }

    /// <summary>The folder to write into.</summary>
    public string Path { get; }

    /// <summary>Makes a folder of its own beside where <paramref name="key"/> will be.</summary>
    public static PartialFolder Create(string cache, string key)
    {
        Directory.CreateDirectory(cache);
        var path = System.IO.Path.Combine(cache, $"{key}{Mark}{Guid.NewGuid():N}");
        var @lock = new FileStream(path + ".lock", FileMode.CreateNew, FileAccess.Write, FileShare.None);
        Directory.CreateDirectory(path);
        return new(path, @lock);
    }

    /// <summary>Removes folders whose process has ended.</summary>
    public static void RemoveAbandoned(string cache)
    {
        if (!Directory.Exists(cache))
        {
            return;
        }

        foreach (var folder in Directory.EnumerateDirectories(cache, $"*{Mark}*"))
        {
            try
            {
                using (new FileStream(folder + ".lock", FileMode.OpenOrCreate, FileAccess.Write, FileShare.None))
                {
                    Delete(folder);
                }

                File.Delete(folder + ".lock");
            }
            catch (IOException)
            {
                // In use by a process that is alive.
            }
        }
    }

    /// <summary>Gives the folder its name. False when another process was faster; then this folder is superfluous.</summary>
    public bool Publish(string target)
    {
        try
        {
            Directory.Move(Path, target);
            return true;
        }
        catch (IOException) when (Directory.Exists(target))
        {
            return false;
        }
    }

    /// <summary>Moves a damaged folder out of the way and deletes it; readers that have it open keep their files.</summary>
    public static void Discard(string folder, string cache, string key)
    {
        var aside = System.IO.Path.Combine(cache, $"{key}{Mark}{Guid.NewGuid():N}");
        try
        {
            Directory.Move(folder, aside);
        }
        catch (DirectoryNotFoundException)
        {
            return;
        }

        Delete(aside);
    }

    public void Dispose()
    {
        Delete(Path);
        File.Delete(_lock.Name);
        _lock.Dispose();
    }

    private static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Published, or removed by another process.
        }
    }
}
