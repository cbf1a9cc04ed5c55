using System.Globalization;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>
/// Exported models of a run: <c>checkpoints/step-00000100/</c> with model.safetensors, model_config.json and tokenizer.json. A folder of that
/// name is always complete.
/// </summary>
public static class CheckpointFolder
{
    public const string ModelFile = "model.safetensors";
    public const string ConfigFile = "model_config.json";
    public const string TokenizerFile = "tokenizer.json";

    private const string Prefix = "step-";

    /// <summary>Full path of the export after a step.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The step is negative.</exception>
    public static string PathOf(string runFolder, long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return Path.Combine(Root(runFolder), Prefix + step.ToString("D8", CultureInfo.InvariantCulture));
    }

    /// <summary>Exports of a run by step, earliest first; empty when there are none.</summary>
    public static IReadOnlyList<(long Step, string Path)> All(string runFolder)
    {
        var root = Root(runFolder);
        if (!Directory.Exists(root))
        {
            return [];
        }

        return Directory.EnumerateDirectories(root)
            .Select(path => (Step: StepOf(path), Path: path))
            .Where(export => export.Step >= 0)
            .OrderBy(export => export.Step)
            .ToList();
    }

    /// <summary>The export of the highest step, or null when there is none.</summary>
    public static string? Latest(string runFolder) => All(runFolder) is [.., var last] ? last.Path : null;

    /// <summary>
    /// Makes an export: <paramref name="write"/> fills a temporary folder, which is renamed once model and configuration are there and all is on disk (data that came tokenised may have no tokenizer). An
    /// export of the same step is replaced; what an earlier, killed export left behind is removed. One writer per run.
    /// </summary>
    /// <returns>Full path of the export.</returns>
    /// <exception cref="InvalidOperationException">A file was not written; no export has been made then.</exception>
    public static string Write(string runFolder, long step, Action<string> write) => Write(runFolder, step, write, [ModelFile, ConfigFile]);

    /// <summary>The same for exports of other files.</summary>
    /// <param name="required">Files without which there is no export.</param>
    public static string Write(string runFolder, long step, Action<string> write, IReadOnlyList<string> required)
    {
        var path = PathOf(runFolder, step);
        var root = Root(runFolder);
        Directory.CreateDirectory(root);
        foreach (var leftover in Directory.EnumerateDirectories(root, ".*.tmp"))
        {
            Directory.Delete(leftover, recursive: true);
        }

        Publish(path, root, write, required);
        return path;
    }

    /// <summary>Makes or replaces a folder that stands alone, all of it at once, as <see cref="Write(string, long, Action{string})"/> does those of a run.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="write">Fills a temporary folder.</param>
    public static void Fill(string folder, Action<string> write)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var root = Path.GetDirectoryName(folder)!;
        Directory.CreateDirectory(root);
        Publish(folder, root, write, []);
    }

    private static void Publish(string path, string root, Action<string> write, IReadOnlyList<string> required)
    {
        var temporary = Path.Combine(root, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
        Directory.CreateDirectory(temporary);
        try
        {
            write(temporary);
            foreach (var name in required)
            {
                if (!File.Exists(Path.Combine(temporary, name)))
                {
                    throw new InvalidOperationException($"The export {path} has no {name}.");
                }
            }

            foreach (var file in Directory.EnumerateFiles(temporary))
            {
                using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
                RandomAccess.FlushToDisk(handle);
            }

            AtomicFile.SyncFolder(temporary);
            Replace(path, temporary);
            AtomicFile.SyncFolder(root);
        }
        catch
        {
            Directory.Delete(temporary, recursive: true);
            throw;
        }
    }

    private static string Root(string runFolder) => Path.Combine(Path.GetFullPath(runFolder), "checkpoints");

    private static void Replace(string path, string with)
    {
        if (!Directory.Exists(path))
        {
            Directory.Move(with, path);
            return;
        }

        var old = $"{with[..^".tmp".Length]}.old.tmp";
        Directory.Move(path, old);
        Directory.Move(with, path);
        Directory.Delete(old, recursive: true);
    }

    /// <summary>Step in a folder's name, −1 for anything but exactly the name that <see cref="PathOf"/> gives.</summary>
    private static long StepOf(string path)
    {
        var name = Path.GetFileName(path);
        return name.StartsWith(Prefix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step)
            && name == Prefix + step.ToString("D8", CultureInfo.InvariantCulture)
            ? step
            : -1;
    }
}
