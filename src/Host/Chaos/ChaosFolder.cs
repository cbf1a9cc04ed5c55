using ActorTrainer.Host.Cluster.Local;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Chaos;

/// <summary>Folders of clusters that chaos makes and, the next time, removes.</summary>
internal static class ChaosFolder
{
    private const string Marker = ".chaos";

    /// <summary>An empty folder; what an earlier chaos left there is ended and removed.</summary>
    /// <exception cref="RefusedException">Something else is there, or another chaos is at work in it.</exception>
    public static string Fresh(string folder)
    {
        folder = Path.GetFullPath(folder);
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            if (!File.Exists(Path.Combine(folder, Marker)))
            {
                throw new RefusedException($"{folder} is not empty and was not made by chaos. Take another folder=….");
            }

            PidFile.Claim(folder, (_, _) => { });
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, Marker), "made by actortrainer chaos, which may remove this folder\n");
        return folder;
    }
}
