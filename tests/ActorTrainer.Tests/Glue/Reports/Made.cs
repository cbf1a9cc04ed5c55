using ActorTrainer.Host.Reports.Glue;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Tests.Glue.Reports;

/// <summary>Made-up results.</summary>
internal static class Made
{
    /// <summary>A result whose accuracy on each evaluation split is <paramref name="right"/> of 20 rows (of STS-B: a correlation).</summary>
    public static GlueResult Result(
        string task, int right, int repeat = 1, string run = "run", string method = "full", string kernel = "softmax", string checkpoint = "wiki")
    {
        var info = GlueTasks.Parse(task);
        return new GlueResult
        {
            Run = run,
            Task = task,
            Method = method,
            Kernel = kernel,
            Checkpoint = checkpoint,
            Repeat = repeat,
            Seed = 17UL + (ulong)repeat,
            Epochs = 5,
            Steps = 780,
            Seconds = 12.5,
            TrainableParameters = 78_882,
            LearningRate = 4e-5,
            Scores = [.. info.EvaluationSplits.Select((split, i) => Score(info, split, right - i))],
        };
    }

    /// <summary>12 of 20 rows are class 1, and the first <paramref name="right"/> rows are predicted well.</summary>
    public static GlueScore Score(GlueTaskInfo info, string split, int right)
    {
        var labels = Enumerable.Range(0, 20).Select(i => info.IsRegression ? i % 5 : i % 5 < 3 ? 1f : 0f).ToArray();
        var outputs = labels.SelectMany((label, i) => Enumerable.Range(0, info.Outputs).Select(c =>
            info.IsRegression ? (i < right ? label : 5 - label) : (c == label) == (i < right) ? 1f : 0f)).ToArray();
        return GlueScore.Of(info, split, labels, outputs);
    }

    public static string Folder() => Directory.CreateTempSubdirectory("actortrainer-glue-").FullName;
}
