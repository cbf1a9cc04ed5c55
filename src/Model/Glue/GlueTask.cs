using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Glue;

/// <summary>A task of GLUE (Wang et al., arXiv 1804.07461).</summary>
public enum GlueTask
{
    Cola,
    Mrpc,
    Rte,
    Stsb,
    Sst2,
    Qnli,
    Qqp,
    Mnli,
    Wnli,
}

/// <summary>What is fixed about a task.</summary>
/// <param name="Task">The task.</param>
/// <param name="Name">Its name in settings and on the Hugging Face hub, e.g. <c>sst2</c>.</param>
/// <param name="Folder">Its folder in the official layout, e.g. <c>SST-2</c>.</param>
/// <param name="Labels">Names of the classes in the order of their numbers (that of the hub's data set); empty: a real number, 0 to 5.</param>
/// <param name="EvaluationSplits">Labelled splits that scores are taken on: <c>dev</c>, or MNLI's two.</param>
/// <param name="TestSplits">Splits without labels, for submissions.</param>
public sealed record GlueTaskInfo(
    GlueTask Task, string Name, string Folder, IReadOnlyList<string> Labels, IReadOnlyList<string> EvaluationSplits, IReadOnlyList<string> TestSplits)
{
    /// <summary>Name of the split that models are trained on.</summary>
    public const string Train = "train";

    /// <summary>True: the label is a real number.</summary>
    public bool IsRegression => Labels.Count == 0;

    /// <summary>Outputs of a head: classes, 1 for a real number.</summary>
    public int Outputs => Math.Max(1, Labels.Count);
}

/// <summary>All tasks.</summary>
public static class GlueTasks
{
    private static readonly string[] Dev = ["dev"];
    private static readonly string[] Test = ["test"];
    private static readonly string[] Entailment = ["entailment", "not_entailment"];

    /// <summary>In the order of results tables: the six of the encryption-friendly work first.</summary>
    public static IReadOnlyList<GlueTaskInfo> All { get; } =
    [
        new(GlueTask.Cola, "cola", "CoLA", ["unacceptable", "acceptable"], Dev, Test),
        new(GlueTask.Mrpc, "mrpc", "MRPC", ["not_equivalent", "equivalent"], Dev, Test),
        new(GlueTask.Rte, "rte", "RTE", Entailment, Dev, Test),
        new(GlueTask.Stsb, "stsb", "STS-B", [], Dev, Test),
        new(GlueTask.Sst2, "sst2", "SST-2", ["negative", "positive"], Dev, Test),
        new(GlueTask.Qnli, "qnli", "QNLI", Entailment, Dev, Test),
        new(GlueTask.Qqp, "qqp", "QQP", ["not_duplicate", "duplicate"], Dev, Test),
        new(GlueTask.Mnli, "mnli", "MNLI", ["entailment", "neutral", "contradiction"], ["dev_matched", "dev_mismatched"], ["test_matched", "test_mismatched"]),
        new(GlueTask.Wnli, "wnli", "WNLI", ["not_entailment", "entailment"], Dev, Test),
    ];

    /// <summary>What is fixed about <paramref name="task"/>.</summary>
    public static GlueTaskInfo Of(GlueTask task) => All.First(info => info.Task == task);

    /// <summary>The task of that name.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public static GlueTaskInfo Parse(string name) => All.FirstOrDefault(info => info.Name == name)
        ?? throw new RefusedException($"'{name}' is not a GLUE task; expected one of {string.Join(", ", All.Select(info => info.Name))}.");
}
