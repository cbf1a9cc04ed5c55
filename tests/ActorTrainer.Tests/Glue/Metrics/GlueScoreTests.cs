using System.Text.Json;
using ActorTrainer.Model.Glue;
using Xunit;

namespace ActorTrainer.Tests.Glue.Metrics;

public class GlueScoreTests
{
    [Fact]
    public void Classes_are_scored_by_argmax_cross_entropy_and_confusion()
    {
        var score = GlueScore.Of(GlueTasks.Of(GlueTask.Mrpc), "dev", [1, 1, 0, 1], [0, 2, 1, 0, 3, 0, -1, 1]);
        Assert.Equal(("mrpc", "dev", 4, "f1"), (score.Task, score.Split, score.Rows, score.Metric));
        Assert.Equal([[1, 0], [1, 2]], score.Confusion!);
        Assert.Equal(["f1", "accuracy", "mean"], score.All.Keys);
        Assert.Equal(0.8, score.Value, 15);
        Assert.Equal(0.75, score.All["accuracy"], 15);
        Assert.Equal(0.775, score.All["mean"], 15);

        // Always "equivalent": precision 3/4, recall 1.
        Assert.Equal(6.0 / 7, score.Baseline, 15);
        static double Softplus(double x) => Math.Log(1 + Math.Exp(x));
        Assert.Equal((Softplus(-2) + Softplus(1) + Softplus(-3) + Softplus(-2)) / 4, score.Loss, 12);
    }

    [Fact]
    public void A_number_is_scored_by_both_correlations_and_squared_error()
    {
        var score = GlueScore.Of(GlueTasks.Of(GlueTask.Stsb), "dev", [1, 2, 3, 4, 5], [5, 6, 7, 8, 7]);
        Assert.Equal(("stsb", "pearson", 0.0), (score.Task, score.Metric, score.Baseline));
        Assert.Equal(0.8207826816681233, score.All["spearman"], 14);
        Assert.Equal(0.8320502943378437, score.Value, 14);
        Assert.Equal((score.All["pearson"] + score.All["spearman"]) / 2, score.All["mean"], 15);
        Assert.Equal((16 + 16 + 16 + 16 + 4) / 5.0, score.Loss, 12);
        Assert.Null(score.Confusion);
    }

    [Theory]
    [InlineData(GlueTask.Cola, "matthews")]
    [InlineData(GlueTask.Mrpc, "f1")]
    [InlineData(GlueTask.Rte, "accuracy")]
    [InlineData(GlueTask.Stsb, "pearson")]
    [InlineData(GlueTask.Sst2, "accuracy")]
    [InlineData(GlueTask.Qnli, "accuracy")]
    [InlineData(GlueTask.Qqp, "f1")]
    [InlineData(GlueTask.Mnli, "accuracy")]
    [InlineData(GlueTask.Wnli, "accuracy")]
    public void Each_task_has_its_published_target_metric_and_a_perfect_model_gets_1(GlueTask task, string metric)
    {
        var info = GlueTasks.Of(task);
        float[] labels = [0, 1, 1, info.Outputs - 1];
        var outputs = info.IsRegression ? labels : labels.SelectMany(l => Enumerable.Range(0, info.Outputs).Select(c => c == l ? 3f : 0f)).ToArray();
        var score = GlueScore.Of(info, "dev", labels, outputs);
        Assert.Equal(metric, score.Metric);
        Assert.Equal(score.Value, score.All[metric]);
        Assert.Equal(1, score.Value, 15);
        Assert.True(score.Baseline < 1);
    }

    [Fact]
    public void The_baseline_is_the_majority_of_the_given_labels_whatever_the_model_says()
    {
        var rte = GlueTasks.Of(GlueTask.Rte);
        Assert.Equal(0.75, GlueScore.Of(rte, "dev", [1, 1, 1, 0], [5, 0, 5, 0, 5, 0, 0, 5]).Baseline);
        Assert.Equal(0.5, GlueScore.Of(rte, "dev", [1, 0], [5, 0, 5, 0]).Baseline);
        Assert.Equal(0, GlueScore.Of(GlueTasks.Of(GlueTask.Cola), "dev", [1, 1, 1, 0], new float[8]).Baseline);

        // Majority "not equivalent": no positive is ever predicted.
        Assert.Equal(0, GlueScore.Of(GlueTasks.Of(GlueTask.Mrpc), "dev", [0, 0, 1], new float[6]).Baseline);
    }

    [Fact]
    public void Predictions_take_the_first_of_equal_logits_and_pass_numbers_on()
    {
        var mnli = GlueTasks.Of(GlueTask.Mnli);
        Assert.Equal([0, 1, 2, 1, 0], GlueScore.Predictions(mnli, [1, 1, 1, 0, 2, 2, -3, -2, -1, float.NaN, 0, float.NaN, float.NaN, float.NaN, float.NaN]));
        Assert.Equal([0.5f, -1], GlueScore.Predictions(GlueTasks.Of(GlueTask.Stsb), [0.5f, -1]));
        Assert.Throws<ArgumentException>(() => GlueScore.Predictions(mnli, [1, 2]));
    }

    [Fact]
    public void Huge_logits_do_not_overflow_and_a_diverged_model_shows_in_its_loss()
    {
        var rte = GlueTasks.Of(GlueTask.Rte);
        Assert.Equal(0, GlueScore.Of(rte, "dev", [1], [-3e38f, 3e38f]).Loss);
        Assert.Equal(1e5, GlueScore.Of(rte, "dev", [0], [0, 1e5f]).Loss, 6);
        Assert.True(double.IsNaN(GlueScore.Of(rte, "dev", [0, 1], [float.NaN, float.NaN, 0, 1]).Loss));
        var diverged = GlueScore.Of(GlueTasks.Of(GlueTask.Stsb), "dev", [1, 2], [float.NaN, 1]);
        Assert.Equal((0.0, 0.0, true), (diverged.Value, diverged.All["spearman"], double.IsNaN(diverged.Loss)));
    }

    [Fact]
    public void Labels_that_are_none_of_the_tasks_are_refused_with_their_row()
    {
        var rte = GlueTasks.Of(GlueTask.Rte);
        Assert.Contains("no rows", Assert.Throws<ArgumentException>(() => GlueScore.Of(rte, "dev", [], [])).Message);
        Assert.Contains("row 1: expected a class from 0 to 1, found -1", Assert.Throws<ArgumentException>(() => GlueScore.Of(rte, "test", [0, -1], new float[4])).Message);
        Assert.Contains("found 0.5", Assert.Throws<ArgumentException>(() => GlueScore.Of(rte, "dev", [0.5f], new float[2])).Message);
        Assert.Throws<ArgumentException>(() => GlueScore.Of(rte, "dev", [float.NaN], new float[2]));
        Assert.Throws<ArgumentException>(() => GlueScore.Of(GlueTasks.Of(GlueTask.Stsb), "dev", [float.NaN], [1]));
        Assert.Contains("2 outputs for each of 2 rows, found 3", Assert.Throws<ArgumentException>(() => GlueScore.Of(rte, "dev", [0, 1], new float[3])).Message);
    }

    [Fact]
    public void A_score_survives_json()
    {
        var score = GlueScore.Of(GlueTasks.Of(GlueTask.Mnli), "dev_matched", [0, 1, 2], [1, 0, 0, 0, 1, 0, 1, 0, 0]);
        var back = JsonSerializer.Deserialize<GlueScore>(JsonSerializer.Serialize(score))!;
        Assert.Equal(score.All, back.All);
        Assert.Equal(score.Confusion!, back.Confusion!);
        Assert.Equal(score with { All = back.All, Confusion = back.Confusion }, back);
    }

    [Fact]
    public void Medians_best_and_means_sum_scores_up()
    {
        Assert.Equal(2, GlueSummary.Median([3, 1, 2]));
        Assert.Equal(2.5, GlueSummary.Median([4, 1, 2, 3]));
        Assert.Equal(7, GlueSummary.Median([7]));
        Assert.True(double.IsNaN(GlueSummary.Median([1, double.NaN, 2])));
        Assert.Equal(3, GlueSummary.Best([1, double.NaN, 3, 2]));
        Assert.Equal(0.5, GlueSummary.MeanOfTasks([0.25, 0.75]));
        Assert.Throws<ArgumentException>(() => GlueSummary.Median([]));
        Assert.Throws<ArgumentException>(() => GlueSummary.Best([]));
        Assert.Throws<ArgumentException>(() => GlueSummary.MeanOfTasks([]));
    }

    [Fact]
    public void The_value_of_a_task_is_the_mean_of_its_evaluation_splits_and_needs_all_of_them()
    {
        var mnli = GlueTasks.Of(GlueTask.Mnli);
        GlueScore Score(string split, params float[] labels) => GlueScore.Of(mnli, split, labels, labels.SelectMany(_ => new float[] { 1, 0, 0 }).ToArray());
        GlueScore[] both = [Score("dev_matched", 0, 1), Score("dev_mismatched", 0, 0, 0, 1), Score("train", 1)];
        Assert.Equal((0.5 + 0.75) / 2, GlueSummary.TaskValue(mnli, both));
        Assert.Equal((0.5 + 0.75) / 2, GlueSummary.TaskBaseline(mnli, both));
        Assert.Null(GlueSummary.TaskValue(mnli, both[..1]));
        Assert.Null(GlueSummary.TaskValue(GlueTasks.Of(GlueTask.Rte), both));
    }
}
