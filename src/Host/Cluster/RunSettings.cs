using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;

namespace ActorTrainer.Host.Cluster;

/// <summary>
/// The settings of a run as text for the cluster: one <c>key=value</c> a line, every key but those of section cluster, which say where a
/// process is and may hold secrets, and <c>he.keys</c>, the data owner's own folder. Relative paths are those of the client's folder; the coordinator's node reads them.
/// </summary>
internal static class RunSettings
{
    private static readonly HashSet<string> Paths =
        ["base_dir", "data.path", "data.valid_path", "data.tokenizer", "data.cache", "eval.path", "eval.checkpoint", "eval.tokenizer", "eval.calibration", "he.data"];

    /// <summary>Words in place of paths; the client says which path they mean.</summary>
    private static readonly HashSet<string> NoPaths = ["", CheckpointChoice.Latest, CheckpointChoice.SmallestLoss];

    /// <summary>Writes settings.</summary>
    /// <param name="folder">What relative paths are relative to.</param>
    public static string Write(ResolvedConfiguration resolved, string folder) => string.Join('\n', resolved.Values
        .Where(value => value.Key.Section != "cluster" && value.Key.Name != "he.keys")
        .Select(value => $"{value.Key.Name}={(Paths.Contains(value.Key.Name) && !NoPaths.Contains(value.Typed) ? Path.GetFullPath(value.Typed, folder) : value.Typed)}"));

    /// <summary>Writes the settings of a fine-tuning run.</summary>
    /// <param name="job">Which of the configuration's runs.</param>
    /// <param name="checkpoint">Folder or file that <c>eval.checkpoint</c> means here.</param>
    /// <param name="folder">What relative paths are relative to.</param>
    public static string Write(FineTuneJob job, ResolvedConfiguration resolved, string checkpoint, string folder) => Write(job.ToLine(), resolved, checkpoint, folder);

    /// <summary>Writes the settings of an encrypted fine-tuning.</summary>
    /// <inheritdoc cref="Write(FineTuneJob, ResolvedConfiguration, string, string)"/>
    public static string Write(EncryptedFineTuneJob job, ResolvedConfiguration resolved, string checkpoint, string folder) => Write(job.ToLine(), resolved, checkpoint, folder);

    private static string Write(string job, ResolvedConfiguration resolved, string checkpoint, string folder)
    {
        IReadOnlyList<ConfigValue> values = [.. resolved.Values.Select(value => value.Key.Name == "eval.checkpoint" ? value with { Value = checkpoint } : value)];
        return job + '\n' + Write(resolved with { Values = values }, folder);
    }

    /// <summary>Reads settings; a line that begins with '#' is passed over, see <see cref="FineTuneJob.Of"/>.</summary>
    /// <exception cref="RefusedException">They are not settings of this version of the program.</exception>
    public static ResolvedConfiguration Read(ConfigLibrary library, string settings) => ConfigResolver.Resolve(
        library, new ConfigProfile("pretrain", [], ReadsModel: EncryptedFineTuneJob.Of(settings) is not null || FineTuneJob.Of(settings) is not null), [.. settings.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith('#'))]);
}
