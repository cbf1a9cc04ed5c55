using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster;

/// <summary>
/// The settings of a run as text for the cluster: one <c>key=value</c> a line, every key but those of section cluster, which say where a
/// process is and may hold secrets. Relative paths are those of the client's folder; the coordinator's node reads them.
/// </summary>
internal static class RunSettings
{
    private static readonly HashSet<string> Paths = ["base_dir", "data.path", "data.valid_path", "data.tokenizer", "data.cache"];

    /// <summary>Writes settings.</summary>
    /// <param name="folder">What relative paths are relative to.</param>
    public static string Write(ResolvedConfiguration resolved, string folder) => string.Join('\n', resolved.Values
        .Where(value => value.Key.Section != "cluster")
        .Select(value => $"{value.Key.Name}={(Paths.Contains(value.Key.Name) && value.Typed.Length > 0 ? Path.GetFullPath(value.Typed, folder) : value.Typed)}"));

    /// <summary>Reads settings.</summary>
    /// <exception cref="RefusedException">They are not settings of this version of the program.</exception>
    public static ResolvedConfiguration Read(ConfigLibrary library, string settings) => ConfigResolver.Resolve(
        library, new ConfigProfile("pretrain", []), settings.Split('\n', StringSplitOptions.RemoveEmptyEntries));
}
