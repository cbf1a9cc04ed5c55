using System.Text.Json.Nodes;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.Reports;

public class MetricsLogTests
{
    private readonly string _folder = Samples.Folder();

    private string MetricsPath => Path.Combine(_folder, MetricsLog.MetricsFile);

    [Fact]
    public void Steps_and_evaluations_come_back_as_they_were_written()
    {
        var step = Samples.Step(1, 7.25, 1, 100, new StageLoad(0, 0.3, 0.5), new StageLoad(1, 0.25, 0.5));
        using (var log = new MetricsLog(_folder))
        {
            log.OnStep(step);
            log.OnEvaluation(Samples.Evaluation(1, 6.5));
        }

        var metrics = RunMetrics.Read(_folder);
        var read = Assert.Single(metrics.Steps);
        Assert.Equal(step.Stages, read.Stages);
        Assert.Equal(step with { Stages = [] }, read with { Stages = [] });
        Assert.Equal(Samples.Evaluation(1, 6.5), Assert.Single(metrics.Evaluations));
    }

    [Fact]
    public void Every_line_is_an_object_with_its_type_and_is_there_before_the_log_is_closed()
    {
        using var log = new MetricsLog(_folder);
        log.OnStep(Samples.Step(1));
        log.OnEvaluation(Samples.Evaluation(1, 6));
        using var reader = new StreamReader(new FileStream(MetricsPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var lines = reader.ReadToEnd().TrimEnd('\n').Split('\n').Select(l => JsonNode.Parse(l)!.AsObject()).ToList();
        Assert.Equal(["step", "eval"], lines.Select(l => (string?)l["type"]));
        Assert.Equal(1e-3, (double?)lines[0]["learning_rate"]);
        Assert.Equal(6.9, (double?)lines[1]["unigram_entropy"]);
    }

    [Fact]
    public void A_loss_that_is_not_finite_is_written_as_null_and_read_as_not_a_number()
    {
        using var log = new MetricsLog(_folder);
        log.OnStep(Samples.Step(1, double.PositiveInfinity));
        Assert.Contains("\"loss\":null", ReadText());
        Assert.True(double.IsNaN(RunMetrics.Read(_folder).Steps[0].Loss));
    }

    [Fact]
    public void A_new_attempt_removes_the_lines_of_the_steps_it_runs_again()
    {
        using var log = new MetricsLog(_folder);
        for (var step = 1; step <= 5; step++)
        {
            log.OnStep(Samples.Step(step));
            log.OnDigest(step, Samples.Layers());
        }

        log.OnEvaluation(Samples.Evaluation(5, 6));
        log.OnAttempt(2, 3);
        Assert.Equal([1, 2, 3], RunMetrics.Read(_folder).Steps.Select(s => s.Step));
        Assert.Empty(RunMetrics.Read(_folder).Evaluations);
        Assert.Equal([1, 2, 3], RunMetrics.ReadDigests(_folder).Keys);

        log.OnStep(Samples.Step(4, 4.5, attempt: 2));
        log.OnDigest(4, Samples.Layers());
        var metrics = RunMetrics.Read(_folder);
        Assert.Equal([1, 1, 1, 2], metrics.Steps.Select(s => s.Attempt));
        Assert.Equal(4.5, metrics.Steps[^1].Loss);
        Assert.Equal([1, 2, 3, 4], RunMetrics.ReadDigests(_folder).Keys);
    }

    [Theory]
    [InlineData("{\"type\":\"step\",\"st")]
    [InlineData("{\"type\":\"step\",\"step\":3")]
    [InlineData("{")]
    public void A_last_line_cut_short_by_a_kill_is_ignored_by_readers_and_removed_by_the_next_log(string torn)
    {
        using (var log = new MetricsLog(_folder))
        {
            log.OnStep(Samples.Step(1));
            log.OnStep(Samples.Step(2));
        }

        File.AppendAllText(MetricsPath, torn);
        Assert.Equal([1, 2], RunMetrics.Read(_folder).Steps.Select(s => s.Step));
        using (var log = new MetricsLog(_folder))
        {
            log.OnStep(Samples.Step(3));
        }

        Assert.Equal([1, 2, 3], RunMetrics.Read(_folder).Steps.Select(s => s.Step));
        Assert.DoesNotContain(torn + "\n", ReadText());
    }

    [Fact]
    public void A_whole_last_line_without_its_newline_is_kept()
    {
        using (var log = new MetricsLog(_folder))
        {
            log.OnStep(Samples.Step(1));
        }

        File.WriteAllText(MetricsPath, ReadText().TrimEnd('\n'));
        using (var log = new MetricsLog(_folder))
        {
            log.OnStep(Samples.Step(2));
        }

        Assert.Equal([1, 2], RunMetrics.Read(_folder).Steps.Select(s => s.Step));
    }

    [Fact]
    public void A_broken_line_in_the_middle_is_refused_with_its_file_and_number()
    {
        using (var log = new MetricsLog(_folder))
        {
            log.OnStep(Samples.Step(1));
        }

        File.AppendAllText(MetricsPath, "not json\n{\"type\":\"step\",\"step\":2}\n");
        var e = Assert.Throws<RefusedException>(() => RunMetrics.Read(_folder));
        Assert.Contains($"{MetricsPath}, line 2", e.Message);
        Assert.Contains("not json", e.Message);
        Assert.Throws<RefusedException>(() => new MetricsLog(_folder));
    }

    [Fact]
    public void A_step_without_its_numbers_is_refused_with_the_missing_name()
    {
        File.WriteAllText(MetricsPath, "{\"type\":\"step\",\"step\":2}\n");
        var e = Assert.Throws<RefusedException>(() => RunMetrics.Read(_folder));
        Assert.Contains("step 2", e.Message);
        Assert.Contains("loss", e.Message);
    }

    [Fact]
    public void A_step_evaluated_again_counts_once_with_its_last_evaluation()
    {
        using var log = new MetricsLog(_folder);
        log.OnEvaluation(Samples.Evaluation(2, 6));
        log.OnAttempt(2, 2);
        log.OnEvaluation(Samples.Evaluation(2, 5));
        Assert.Equal(5, Assert.Single(RunMetrics.Read(_folder).Evaluations).Loss);
    }

    [Fact]
    public void A_summary_tells_the_run_and_comes_back_from_its_file()
    {
        using (var log = new MetricsLog(_folder))
        {
            log.OnStep(Samples.Step(1, 7, 1, 100, new StageLoad(0, 0.4, 0.5), new StageLoad(1, 0.3, 0.5)));
            log.OnStep(Samples.Step(2, 6, attempt: 3));
            log.OnEvaluation(Samples.Evaluation(1, 6.1));
            log.OnEvaluation(Samples.Evaluation(2, 6.4));
        }

        var summary = RunSummary.Of("first", RunMetrics.Read(_folder), bubbleFormula: 0.2, checkpoint: "checkpoints/2");
        Assert.Equal((2, 2048, 1.0, 2048.0, 6.0, 3), (summary.Steps, summary.Tokens, summary.Seconds, summary.TokensPerSecond, summary.FinalLoss, summary.Attempts));
        Assert.Equal((6.4, 6.1), (summary.LastEvaluation!.Loss, summary.BestEvaluation!.Loss));
        Assert.Equal(0.3, summary.BubbleMeasured!.Value, 12);
        summary.Save(_folder);
        Assert.Equal(summary, RunSummary.Load(_folder));
        Assert.Contains("\"tokens_per_second\": 2048", File.ReadAllText(Path.Combine(_folder, RunSummary.FileName)));
    }

    [Fact]
    public void A_run_without_steps_has_a_summary_too()
    {
        RunSummary.Of("empty", RunMetrics.Read(_folder)).Save(_folder);
        var summary = RunSummary.Load(_folder);
        Assert.Equal(0, summary.Steps);
        Assert.Null(summary.FinalLoss);
        Assert.Null(summary.BubbleMeasured);
    }

    [Fact]
    public void A_missing_or_broken_summary_is_refused()
    {
        Assert.Contains("does not exist", Assert.Throws<RefusedException>(() => RunSummary.Load(_folder)).Message);
        File.WriteAllText(Path.Combine(_folder, RunSummary.FileName), "{}");
        Assert.Contains("not a run's summary", Assert.Throws<RefusedException>(() => RunSummary.Load(_folder)).Message);
    }

    private string ReadText()
    {
        using var reader = new StreamReader(new FileStream(MetricsPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
