namespace ActorTrainer.Host.Cluster.Local;

/// <summary><c>node.log</c> of a node: what all its lives have said.</summary>
internal sealed class NodeLog : IDisposable
{
    public const string Name = "node.log";

    private readonly Lock _gate = new();
    private StreamWriter? _file;

    /// <summary>Opens the log in a folder, at its end.</summary>
    public NodeLog(string folder)
    {
        Directory.CreateDirectory(folder);
        _file = new StreamWriter(new FileStream(Path.Combine(folder, Name), FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
    }

    /// <summary>Adds a line; after the end of the log it is dropped.</summary>
    public void Write(string line)
    {
        lock (_gate)
        {
            _file?.WriteLine(line);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _file?.Dispose();
            _file = null;
        }
    }
}
