using System.Globalization;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Reports.Glue;

/// <summary>A table of results for a terminal of 80 columns: a block for each method, a line for each task.</summary>
internal static class GlueText
{
    /// <summary>Writes the table.</summary>
    public static void Write(GlueTable table, TextWriter output)
    {
        foreach (var row in table.Rows)
        {
            output.WriteLine($"{Plain(row.Method)}, {Plain(row.Kernel)}, from {Plain(row.Checkpoint)}  [{Plain(string.Join(", ", row.Runs))}]");
            output.WriteLine(Line("task", "metric", "median", "best", "n", "majority", "published"));
            foreach (var task in table.Tasks)
            {
                if (row.Tasks.TryGetValue(task, out var cell))
                {
                    output.WriteLine(Line(
                        task, cell.Metric, Number(cell.Median), Number(cell.Best), $"{cell.N}", Number(table.Baselines, task), Number(row.Published?.Tasks, task)));
                }
                else
                {
                    output.WriteLine(Line(task, GlueMetric.Target(GlueTasks.Parse(task).Task), "–", "–", "0", Number(table.Baselines, task), Number(row.Published?.Tasks, task)));
                }
            }

            if (row.Mean is { } mean)
            {
                // The published mean of the very tasks that this row has, else the two would not compare.
                var (published, count) = row.Published is { } p ? GlueTable.MeanOver(row.Tasks.Keys, p.Tasks) : (null, 0);
                var (majority, _) = GlueTable.MeanOver(row.Tasks.Keys, table.Baselines);
                output.WriteLine(Line(
                    "mean", $"of {row.MeanTasks}", Number(mean), "", "", Number(majority ?? double.NaN), count == row.MeanTasks ? Number(published ?? double.NaN) : "–"));
            }

            if (row.Published is { } like)
            {
                output.WriteLine($"  published: {like.Name}");
            }

            output.WriteLine();
        }

        if (table.Rows.Any(row => row.Published is not null))
        {
            output.WriteLine($"published: {table.Rows.Select(row => row.Published?.Source).First(source => source is not null)}.");
        }
    }

    private static string Line(string task, string metric, string median, string best, string n, string majority, string published) =>
        $"  {task,-6}{metric,-10}{median,9}{best,9}{n,5}{majority,11}{published,12}".TrimEnd();

    private static string Number(IReadOnlyDictionary<string, double>? values, string task) =>
        values is not null && values.TryGetValue(task, out var value) ? Number(value) : "–";

    private static string Number(double value) => double.IsNaN(value) ? "–" : value.ToString("0.0000", CultureInfo.InvariantCulture);

    /// <summary>Names come from files: nothing in them steers the terminal.</summary>
    private static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
