using System.Globalization;
using System.Text;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Reports.Glue;

/// <summary>A table of results as a page of Markdown. The same table gives the same page.</summary>
internal static class GlueMarkdown
{
    /// <summary>The whole page.</summary>
    public static string Of(GlueTable table)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"# GLUE results\n\nMedian [best, repeats] of the target metric on the development splits, {table.Results.Count} results.\n\n");
        Targets(page, table);
        page.Append("\n## All metrics\n\n");
        Lines(page, table);
        page.Append("\n## Runs\n\n");
        Runs(page, table);
        page.Append("\n## Sources of the published figures\n\n");
        foreach (var source in table.Published.GroupBy(row => row.Source))
        {
            page.Append(CultureInfo.InvariantCulture, $"- {string.Join("; ", source.Select(row => Cell(row.Name)))}: {source.Key}.\n");
        }

        return page.ToString();
    }

    private static void Targets(StringBuilder page, GlueTable table)
    {
        Row(page, ["method", "kernel", "checkpoint", .. table.Tasks.Select(Heading), "mean"]);
        Row(page, ["---", "---", "---", .. table.Tasks.Select(_ => "---:"), "---:"]);
        foreach (var row in table.Rows)
        {
            var runs = table.Rows.Any(other => other != row && Same(other, row)) ? $" ({string.Join(", ", row.Runs)})" : "";
            Row(page, [row.Method + runs, row.Kernel, row.Checkpoint, .. table.Tasks.Select(task => Score(row.Tasks.GetValueOrDefault(task))), Mean(table, row.Mean, row.MeanTasks)]);
        }

        Numbers("majority class", table.Baselines);
        foreach (var row in table.Published.Where(row => table.Tasks.Any(row.Tasks.ContainsKey)))
        {
            Numbers($"published: {row.Name}", row.Tasks);
        }

        page.Append("\nmean: of the tasks of this table that the row has; their number in brackets where some are missing.");
        page.Append(table.Tasks.Contains(GlueTasks.Of(GlueTask.Wnli).Name) ? " WNLI is left out of it.\n" : "\n");

        void Numbers(string name, IReadOnlyDictionary<string, double> values)
        {
            var (mean, count) = GlueTable.MeanOver(table.Tasks, values);
            Row(page, [name, "", "", .. table.Tasks.Select(task => values.TryGetValue(task, out var value) ? Number(value) : "–"), Mean(table, mean, count)]);
        }
    }

    private static void Lines(StringBuilder page, GlueTable table)
    {
        Row(page, ["task", "split", "method", "kernel", "runs", "metric", "median", "best", "repeats"]);
        Row(page, ["---", "---", "---", "---", "---", "---", "---:", "---:", "---:"]);
        foreach (var task in table.Tasks)
        {
            foreach (var (row, line) in table.Rows.SelectMany(row => row.Metrics.Where(line => line.Task == task).Select(line => (row, line))))
            {
                Row(page, [task, line.Split, row.Method, row.Kernel, string.Join(", ", row.Runs), line.Cell.Metric, Number(line.Cell.Median), Number(line.Cell.Best), $"{line.Cell.N}"]);
            }
        }
    }

    private static void Runs(StringBuilder page, GlueTable table)
    {
        Row(page, ["run", "task", "method", "kernel", "repeat", "seed", "learning rate", "epochs", "steps", "seconds", "trainable parameters", "target metric"]);
        Row(page, ["---", "---", "---", "---", "---:", "---:", "---:", "---:", "---:", "---:", "---:", "---:"]);
        foreach (var r in table.Results)
        {
            Row(page,
            [
                r.Run, r.Task, r.Method, r.Kernel, $"{r.Repeat}", $"{r.Seed}", Short(r.LearningRate), Short(r.Epochs), $"{r.Steps}",
                r.Seconds.ToString("0.0", CultureInfo.InvariantCulture), r.TrainableParameters.ToString("N0", CultureInfo.InvariantCulture),
                GlueSummary.TaskValue(r.Info, r.Scores) is { } value ? Number(value) : "–",
            ]);
        }
    }

    private static string Heading(string task)
    {
        var info = GlueTasks.Parse(task);
        return $"{info.Folder} ({GlueMetric.Target(info.Task)})";
    }

    private static bool Same(GlueRow a, GlueRow b) => a.Method == b.Method && a.Kernel == b.Kernel && a.Checkpoint == b.Checkpoint;

    private static string Score(GlueCell? cell) => cell is null ? "–"
        : cell.N == 1 ? Number(cell.Median)
        : $"{Number(cell.Median)} [{Number(cell.Best)}, {cell.N}]";

    private static string Mean(GlueTable table, double? mean, int tasks) => mean is not { } value ? "–"
        : tasks == table.Tasks.Count(task => task != GlueTasks.Of(GlueTask.Wnli).Name) ? Number(value)
        : $"{Number(value)} ({tasks})";

    private static string Number(double value) => double.IsNaN(value) ? "–" : value.ToString("0.0000", CultureInfo.InvariantCulture);

    private static string Short(double value) => value.ToString("0.######", CultureInfo.InvariantCulture) is not "0" and var text || value == 0
        ? value.ToString("0.######", CultureInfo.InvariantCulture)
        : value.ToString("0.###e0", CultureInfo.InvariantCulture);

    private static void Row(StringBuilder page, IEnumerable<string> cells) =>
        page.Append("| ").AppendJoin(" | ", cells.Select(Cell)).Append(" |\n");

    /// <summary>Text that stays inside its cell.</summary>
    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
