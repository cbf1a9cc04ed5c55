using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors;

/// <summary>Files of one run, and the lock that keeps a second process out of them.</summary>
public sealed class RunFolder : IDisposable
{
    private readonly FileStream _lock;

    private RunFolder(string path, FileStream held)
    {
        Root = path;
        _lock = held;
    }

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>SQLite file of the journal.</summary>
    public string Journal => Path.Combine(Root, "journal.db");

    /// <summary>Content-addressed unit states and manifests.</summary>
    public string Store => Path.Combine(Root, "store");

    /// <summary>Log of the actor system.</summary>
    public string Log => Path.Combine(Root, "actors.log");

    /// <summary>Opens or makes the folder and holds it until disposed; a killed process lets go of it by itself.</summary>
    /// <exception cref="RefusedException">Another process works in it.</exception>
    public static RunFolder Open(string path)
    {
        Directory.CreateDirectory(path);
        var file = Path.Combine(path, "lock");
        FileStream held;
        try
        {
            held = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not DirectoryNotFoundException)
        {
            throw new RefusedException($"Another process works in {path} (it holds {file}). Wait for it, stop it, or take another name=….", e);
        }

        foreach (var temporary in Directory.EnumerateFiles(path, ".*.tmp"))
        {
            File.Delete(temporary); // of a process that was killed while it wrote a file
        }

        return new RunFolder(path, held);
    }

    /// <summary>Lets go of the folder.</summary>
    public void Dispose() => _lock.Dispose();
}
