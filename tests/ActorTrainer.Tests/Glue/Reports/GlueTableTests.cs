using ActorTrainer.Host.Reports.Glue;
using Xunit;

namespace ActorTrainer.Tests.Glue.Reports;

public class GlueTableTests
{
    [Fact]
    public void Repeats_become_median_best_and_their_number()
    {
        var row = Assert.Single(GlueTable.Of([Made.Result("rte", 15, 1), Made.Result("rte", 18, 2), Made.Result("rte", 11, 3)]).Rows);
        Assert.Equal(new GlueCell("accuracy", 15 / 20.0, 18 / 20.0, 3), row.Tasks["rte"]);
        row = Assert.Single(GlueTable.Of([Made.Result("rte", 15, 1), Made.Result("rte", 18, 2)]).Rows);
        Assert.Equal(new GlueCell("accuracy", (0.75 + 0.9) / 2, 0.9, 2), row.Tasks["rte"]);
    }

    [Fact]
    public void The_best_loss_is_the_lowest_and_a_diverged_repeat_shows_in_the_median()
    {
        var (good, bad) = (Made.Result("rte", 18, 1), Made.Result("rte", 11, 2));
        var loss = GlueTable.Of([good, bad]).Rows[0].Metrics.Single(line => line.Cell.Metric == "loss").Cell;
        Assert.Equal(good.Scores[0].Loss, loss.Best);
        Assert.InRange(loss.Median, good.Scores[0].Loss + 1e-3, bad.Scores[0].Loss - 1e-3);
        bad = bad with { Scores = [bad.Scores[0] with { Loss = double.NaN }] };
        loss = GlueTable.Of([good, bad]).Rows[0].Metrics.Single(line => line.Cell.Metric == "loss").Cell;
        Assert.Equal((true, good.Scores[0].Loss), (double.IsNaN(loss.Median), loss.Best));
    }

    [Fact]
    public void Tasks_stand_in_their_usual_order_and_a_missing_one_leaves_a_gap()
    {
        var table = GlueTable.Of([Made.Result("sst2", 18), Made.Result("cola", 16), Made.Result("rte", 14, method: "LoRA r2", kernel: "gaussian-kernel")]);
        Assert.Equal(["cola", "rte", "sst2"], table.Tasks);
        Assert.Equal(["full", "LoRA r2"], table.Rows.Select(row => row.Method));
        Assert.Equal(["cola", "sst2"], table.Rows[0].Tasks.Keys);
        Assert.Equal(((table.Rows[0].Tasks["cola"].Median + 0.9) / 2, 2), (table.Rows[0].Mean!.Value, table.Rows[0].MeanTasks));
        Assert.Equal((0.7, 1), (table.Rows[1].Mean!.Value, table.Rows[1].MeanTasks));
        var page = GlueMarkdown.Of(table);
        Assert.Contains("| method | kernel | checkpoint | CoLA (matthews) | RTE (accuracy) | SST-2 (accuracy) | mean |\n", page);
        Assert.Contains("| LoRA r2 | gaussian-kernel | wiki | – | 0.7000 | – | 0.7000 (1) |\n", page);
        Assert.Contains("| majority class |  |  | 0.0000 | 0.6000 | 0.6000 | 0.4000 |\n", page);
        Assert.Contains("| published: 2 layers, LoRA, Gaussian kernel, plaintext |  |  | 0.1883 | 0.5776 | 0.8567 | 0.5409 |\n", page);
    }

    [Fact]
    public void Runs_of_one_method_share_a_row_until_they_fine_tune_the_same_task()
    {
        var apart = GlueTable.Of([Made.Result("rte", 15, run: "a"), Made.Result("cola", 15, run: "b")]);
        Assert.Equal(["a", "b"], Assert.Single(apart.Rows).Runs);
        var same = GlueTable.Of([Made.Result("rte", 18, run: "b"), Made.Result("rte", 15, run: "a"), Made.Result("cola", 15, run: "b")]);
        Assert.Equal([0.75, 0.9], same.Rows.Select(row => row.Tasks["rte"].Median));
        Assert.Contains("| full (a) | softmax | wiki |", GlueMarkdown.Of(same));
        Assert.Equal(2, GlueTable.Of([Made.Result("rte", 15), Made.Result("rte", 15, checkpoint: "pile")]).Rows.Count);
        Assert.Equal(2, GlueTable.Of([Made.Result("rte", 15), Made.Result("rte", 15, kernel: "gaussian-kernel")]).Rows.Count);
    }

    [Fact]
    public void The_value_of_mnli_is_the_mean_of_its_splits_and_each_has_its_lines()
    {
        var whole = Made.Result("mnli", 16);
        var row = Assert.Single(GlueTable.Of([whole]).Rows);
        Assert.Equal(whole.Scores.Average(score => score.Value), row.Tasks["mnli"].Median, 15);
        Assert.Equal(["dev_matched", "dev_mismatched"], row.Metrics.Where(line => line.Cell.Metric == "accuracy").Select(line => line.Split));
        var half = GlueTable.Of([whole with { Scores = [whole.Scores[0]] }]);
        Assert.Empty(half.Rows[0].Tasks);
        Assert.Null(half.Rows[0].Mean);
        Assert.Contains("| full | softmax | wiki | – | – |\n", GlueMarkdown.Of(half));
    }

    [Fact]
    public void Wnli_is_shown_but_left_out_of_the_mean()
    {
        var table = GlueTable.Of([Made.Result("rte", 15), Made.Result("wnli", 4)]);
        Assert.Equal((0.75, 1), (table.Rows[0].Mean!.Value, table.Rows[0].MeanTasks));
        Assert.Contains("| full | softmax | wiki | 0.7500 | 0.2000 | 0.7500 |\n", GlueMarkdown.Of(table));
        Assert.Contains("WNLI is left out", GlueMarkdown.Of(table));
    }

    [Fact]
    public void The_published_means_are_those_of_the_published_tasks()
    {
        foreach (var row in PublishedResults.All.Skip(1))
        {
            Assert.Equal(6, row.Tasks.Count);
            Assert.Equal(row.Mean, row.Tasks.Values.Average(), 4.0e-4 / 4);
        }

        // The card counts both splits of MNLI.
        var card = PublishedResults.All[0];
        Assert.Equal(card.Mean, (card.Tasks.Values.Sum() + card.Tasks["mnli"]) / 9, 5e-4);
    }

    [Theory]
    [InlineData("full", "softmax", 0.2688)]
    [InlineData("full", "gaussian-kernel", 0.2640)]
    [InlineData("LoRA r2", "gaussian-kernel", 0.1883)]
    [InlineData("LoRA r2 polynomial", "gaussian-kernel", 0.1883)]
    [InlineData("LoRA r2", "softmax", null)]
    [InlineData("LoRA r2 encrypted", "gaussian-kernel", null)]
    [InlineData("head only", "softmax", null)]
    public void A_row_stands_beside_the_published_figures_of_its_method_and_kernel(string method, string kernel, double? cola) =>
        Assert.Equal(cola, PublishedResults.Like(method, kernel)?.Tasks["cola"]);

    [Fact]
    public void The_terminal_shows_a_block_for_each_method_within_80_columns()
    {
        var output = new StringWriter();
        GlueText.Write(GlueTable.Of([Made.Result("rte", 15, 1), Made.Result("rte", 18, 2), Made.Result("qqp", 18), Made.Result("cola", 18, method: "LoRA r2\u001b[31m")]), output);
        var lines = output.ToString().Split('\n');
        Assert.Contains("full, softmax, from wiki  [run]", lines);
        Assert.Contains("  task  metric       median     best    n   majority   published", lines);
        Assert.Contains("  rte   accuracy     0.8250   0.9000    2     0.6000      0.5884", lines);
        Assert.Contains("  cola  matthews          –        –    0     0.0000      0.2688", lines);
        Assert.Contains(lines, line => line.StartsWith("  mean  of 2 ", StringComparison.Ordinal) && line.EndsWith(" –", StringComparison.Ordinal));
        Assert.All(lines.Where(line => line.StartsWith("  ", StringComparison.Ordinal)), line => Assert.True(line.Length <= 80, line));
        Assert.DoesNotContain("\u001b", output.ToString());
    }

    [Fact]
    public void Names_cannot_break_out_of_their_cell()
    {
        var page = GlueMarkdown.Of(GlueTable.Of([Made.Result("rte", 15, run: "a|b\nc")]));
        Assert.Contains("| a\\|b c |", page);
    }

    [Fact]
    public void The_order_of_results_changes_nothing_but_no_results_are_refused()
    {
        GlueResult[] results = [.. Enumerable.Range(1, 5).Select(i => Made.Result("rte", 10 + i, i)), Made.Result("cola", 14, run: "z"), Made.Result("mnli", 9, method: "LoRA r2")];
        Assert.Equal(GlueMarkdown.Of(GlueTable.Of(results)), GlueMarkdown.Of(GlueTable.Of([.. results.Reverse()])));
        Assert.Throws<ArgumentException>(() => GlueTable.Of([]));
    }
}
