using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster.Local;

/// <summary>
/// <c>pids</c> in a cluster's folder: the supervisor and its nodes. It lets a supervisor end what one that was killed left running, and keeps
/// two from working in one folder.
/// </summary>
internal sealed class PidFile
{
    public const string Name = "pids";

    private const string Supervisor = "supervisor";

    private readonly string _path;

    private PidFile(string path) => _path = path;

    /// <summary>Takes a folder, after ending what runs there without a supervisor.</summary>
    /// <param name="folder">Folder of the cluster; made when there is none.</param>
    /// <param name="ended">Told of each process that was ended.</param>
    /// <exception cref="RefusedException">The supervisor named there still runs.</exception>
    public static PidFile Claim(string folder, Action<string, ProcessIdentity> ended)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, Name);
        var found = Read(path);
        if (found.FirstOrDefault(entry => entry.Name == Supervisor) is { Name: not null } other
            && other.Process != ProcessIdentity.Current && other.Process.IsAlive)
        {
            throw new RefusedException(
                $"Process {other.Process.Id} runs a cluster in {folder} (it says so in {path}). Stop it, or take another folder=….");
        }

        foreach (var (name, process) in found.Where(entry => entry.Name != Supervisor && entry.Process.IsAlive))
        {
            Signals.Send(process.Id, Signals.Kill);
            ended(name, process);
        }

        var file = new PidFile(path);
        file.Write([]);
        return file;
    }

    /// <summary>Names the nodes that run now.</summary>
    public void Write(IEnumerable<(string Name, ProcessIdentity Process)> nodes) =>
        AtomicFile.WriteText(_path, string.Concat(nodes.Prepend((Supervisor, ProcessIdentity.Current)).Select(entry => $"{entry.Item1} {entry.Item2}\n")));

    /// <summary>Removes the file: nothing runs any more.</summary>
    public void Remove() => File.Delete(_path);

    /// <summary>What a file names; lines that nobody wrote are left out.</summary>
    public static IReadOnlyList<(string Name, ProcessIdentity Process)> Read(string path) => !File.Exists(path)
        ? []
        : [.. File.ReadLines(path)
            .Select(line => line.Split(' '))
            .Where(words => words.Length == 2)
            .Select(words => (words[0], ProcessIdentity.Parse(words[1])))
            .Where(entry => entry.Item2 is not null)
            .Select(entry => (entry.Item1, entry.Item2!.Value))];
}
