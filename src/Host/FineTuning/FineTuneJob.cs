using System.Text.RegularExpressions;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.FineTuning;

/// <summary>Which fine-tuning run of a configuration a cluster is to do.</summary>
/// <param name="Task">The task.</param>
/// <param name="Repeat">The repeat, from 1.</param>
/// <param name="ArchGiven">Whether the user named the model's shape; see <see cref="PretrainedModel.Of"/>.</param>
internal sealed partial record FineTuneJob(GlueTaskInfo Task, int Repeat, bool ArchGiven)
{
    private const int LongestName = 100;

    /// <summary>As the first line of a run's settings; those of pre-training have no such line.</summary>
    public string ToLine() => $"# finetune {Task.Name} {Repeat} {(ArchGiven ? "arch" : "-")}";

    /// <summary>From a run's settings; null: they are of pre-training.</summary>
    /// <exception cref="RefusedException">They are of another version of the program.</exception>
    public static FineTuneJob? Of(string settings)
    {
        var line = settings.Split('\n', 2)[0];
        return !line.StartsWith('#') ? null
            : Line().Match(line) is { Success: true } match && int.TryParse(match.Groups[2].ValueSpan, out var repeat)
                ? new FineTuneJob(GlueTasks.Parse(match.Groups[1].Value), repeat, match.Groups[3].Value == "arch")
                : throw new RefusedException($"The settings begin with \"{line}\", which this version of the program does not know: use the same version on all nodes and for the client.");
    }

    /// <summary>Name of the run on a cluster, which has one list of runs: that of the pre-trained run, the fine-tuning's label, task and repeat.</summary>
    /// <exception cref="RefusedException">It is too long.</exception>
    public string NameOf(RunConfiguration run)
    {
        var name = $"{run.Name}-{Path.GetFileName(FineTuneFolders.Of(run))}-{FineTuneFolders.RunName(Task, Repeat)}";
        return name.Length <= LongestName ? name
            : throw new RefusedException($"The cluster would know this run as {name}, of {name.Length} characters; at most {LongestName} can be: shorten name or eval.label.");
    }

    [GeneratedRegex(@"\A# finetune ([a-z0-9]+) (\d{1,9}) (arch|-)\z")]
    private static partial Regex Line();
}
