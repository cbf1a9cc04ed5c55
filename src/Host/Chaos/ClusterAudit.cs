using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Chaos;

/// <summary>What the nodes of a cluster have left on disk, looked at when none of them runs any more.</summary>
/// <param name="Temporary">Files that were being written.</param>
/// <param name="Orphans">Objects that no checkpoint on any node names.</param>
/// <param name="Last">The checkpoint of the highest step; null when there is none.</param>
internal sealed record ClusterAudit(IReadOnlyList<string> Temporary, IReadOnlyList<string> Orphans, CheckpointManifest? Last)
{
    /// <summary>Manifests are a few kB; larger objects are unit states and need not be looked into.</summary>
    private const long LargestManifest = 1 << 20;

    /// <summary>Looks through the folder of a cluster.</summary>
    public static ClusterAudit Of(string folder)
    {
        var objects = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(path => (Path: path, Hash: HashOf(path))).Where(o => o.Hash is not null).ToList();
        var manifests = objects.Select(o => (o.Hash, Manifest: ManifestIn(o.Path))).Where(o => o.Manifest is not null).ToList();
        var named = manifests.SelectMany(m => m.Manifest!.Units.Values.Append(m.Hash!)).ToHashSet();
        return new ClusterAudit(
            [.. Directory.EnumerateFileSystemEntries(folder, "*.tmp", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })],
            [.. objects.Where(o => !named.Contains(o.Hash!)).Select(o => o.Path)],
            manifests.Select(m => m.Manifest!).MaxBy(m => m.Step));
    }

    /// <summary>
    /// Puts the digests that several coordinators wrote into one folder. A step that two of them computed must have equal digests.
    /// </summary>
    /// <param name="sources">Run folders, one a coordinator; some may not exist.</param>
    /// <param name="folder">Folder to write to.</param>
    /// <returns>Steps whose digests differ between coordinators.</returns>
    public static IReadOnlyList<long> MergeDigests(IEnumerable<string> sources, string folder)
    {
        var lines = new SortedDictionary<long, System.Text.Json.Nodes.JsonObject>();
        var differing = new SortedSet<long>();
        foreach (var (step, line) in sources.SelectMany(source => StepLines.Read(Path.Combine(source, MetricsLog.DigestsFile))))
        {
            if (lines.TryGetValue(step, out var other) && other["layers"]?.ToJsonString() != line["layers"]?.ToJsonString())
            {
                differing.Add(step);
            }

            lines[step] = line;
        }

        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(
            Path.Combine(folder, MetricsLog.DigestsFile), string.Concat(lines.Values.Select(line => line.ToJsonString(ReportJson.Line) + "\n")));
        return [.. differing];
    }

    /// <summary>Hash in the name of an object's file, <c>…/objects/ab/cdef…</c>; null for other files.</summary>
    private static string? HashOf(string path) =>
        path.Split(Path.DirectorySeparatorChar) is [.., "objects", var start, var rest] && ContentStore.IsHash(start + rest) ? start + rest : null;

    private static CheckpointManifest? ManifestIn(string path)
    {
        if (new FileInfo(path).Length > LargestManifest)
        {
            return null;
        }

        try
        {
            return CheckpointManifest.Parse(File.ReadAllBytes(path), path);
        }
        catch (RefusedException)
        {
            return null;
        }
    }
}
