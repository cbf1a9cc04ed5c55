using System.Globalization;
using System.Text.RegularExpressions;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Encrypted;

/// <summary>Which encrypted fine-tuning of a configuration a cluster is to do.</summary>
/// <param name="Task">The task.</param>
/// <param name="Steps">Steps; 0: as many as eval.epochs come to.</param>
/// <param name="ArchGiven">Whether the user named the model's shape; see <see cref="PretrainedModel.Of"/>.</param>
internal sealed partial record EncryptedFineTuneJob(GlueTaskInfo Task, long Steps, bool ArchGiven)
{
    private const int LongestName = 100;

    /// <summary>As the first line of a run's settings; see <see cref="FineTuneJob.ToLine"/>.</summary>
    public string ToLine() => string.Create(CultureInfo.InvariantCulture, $"# finetune-encrypted {Task.Name} {Steps} {(ArchGiven ? "arch" : "-")}");

    /// <summary>From a run's settings; null: they are of another kind of run.</summary>
    public static EncryptedFineTuneJob? Of(string settings) =>
        Line().Match(settings.Split('\n', 2)[0]) is { Success: true } match
            ? new EncryptedFineTuneJob(GlueTasks.Parse(match.Groups[1].Value), long.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture), match.Groups[3].Value == "arch")
            : null;

    /// <summary>Name of the run on a cluster, which has one list of runs: that of the pre-trained run and the task.</summary>
    /// <exception cref="RefusedException">It is too long.</exception>
    public string NameOf(RunConfiguration run)
    {
        var name = $"{run.Name}-encrypted-{Task.Name}";
        return name.Length <= LongestName ? name
            : throw new RefusedException($"The cluster would know this run as {name}, of {name.Length} characters; at most {LongestName} can be: shorten name.");
    }

    [GeneratedRegex(@"\A# finetune-encrypted ([a-z0-9]+) (\d{1,18}) (arch|-)\z")]
    private static partial Regex Line();
}
