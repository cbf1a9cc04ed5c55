using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;
using ScottPlot;

namespace ActorTrainer.Host.Reports.Glue;

/// <summary>Pictures of results.</summary>
public static class GluePictures
{
    /// <summary>Writes a confusion matrix as a PNG of 720 × 600 pixels: counts, shaded by their share of the true class.</summary>
    /// <exception cref="ArgumentException">The score has no matrix: its task is a real number.</exception>
    public static void SaveConfusion(string path, GlueScore score, string title)
    {
        var labels = GlueTasks.Parse(score.Task).Labels;
        var matrix = score.Confusion ?? throw new ArgumentException($"{score.Task} has no classes, so there is no confusion matrix.", nameof(score));
        using var plot = new Plot();
        var n = matrix.Length;
        for (var t = 0; t < n; t++)
        {
            var total = Math.Max(1L, matrix[t].Sum(count => (long)count));
            for (var p = 0; p < n; p++)
            {
                // The first class is on top.
                var (x, y, share) = (p, n - 1 - t, (double)matrix[t][p] / total);
                var cell = plot.Add.Rectangle(x - 0.5, x + 0.5, y - 0.5, y + 0.5);
                cell.FillColor = Shade(share);
                cell.LineColor = Colors.White;
                cell.LineWidth = 2;
                var text = plot.Add.Text($"{matrix[t][p]:N0}\n{100 * share:0.0} %", x, y);
                text.LabelFontSize = 20;
                text.LabelAlignment = Alignment.MiddleCenter;
                text.LabelFontColor = share > 0.55 ? Colors.White : PictureStyle.Ink;
            }
        }

        Style(plot, title);
        plot.XLabel("predicted", 16);
        plot.YLabel("true", 16);
        var positions = Enumerable.Range(0, n).Select(i => (double)i).ToArray();
        plot.Axes.Bottom.SetTicks(positions, [.. labels]);
        plot.Axes.Left.SetTicks(positions, [.. labels.Reverse()]);
        plot.HideGrid();
        plot.Axes.SetLimits(-0.5, n - 0.5, -0.5, n - 0.5);
        Write(path, plot, 720, 600);
    }

    /// <summary>Writes the target metrics of a table as a PNG of 1200 × 675 pixels: a group for each task, a bar for each row, majority class and published figures marked.</summary>
    public static void SaveScores(string path, GlueTable table, string title)
    {
        using var plot = new Plot();
        var width = 0.8 / table.Rows.Count;
        var published = new List<Coordinates>();
        var marked = false;
        for (var r = 0; r < table.Rows.Count; r++)
        {
            var row = table.Rows[r];
            var bars = new List<Bar>();
            for (var t = 0; t < table.Tasks.Count; t++)
            {
                var x = t - 0.4 + ((r + 0.5) * width);
                if (row.Tasks.TryGetValue(table.Tasks[t], out var cell))
                {
                    bars.Add(new Bar { Position = x, Value = cell.Median, Size = width * 0.92, FillColor = PictureStyle.Palette[r % PictureStyle.Palette.Count], LineWidth = 0 });
                }

                if (row.Published is { } like && like.Tasks.TryGetValue(table.Tasks[t], out var figure))
                {
                    published.Add(new(x, figure));
                }
            }

            if (bars.Count > 0)
            {
                var drawn = plot.Add.Bars(bars);
                drawn.LegendText = Label(table, row);
            }
        }

        for (var t = 0; t < table.Tasks.Count; t++)
        {
            if (table.Baselines.TryGetValue(table.Tasks[t], out var value))
            {
                var line = plot.Add.Line(t - 0.44, value, t + 0.44, value);
                (line.Color, line.LineWidth, line.LinePattern) = (PictureStyle.Ink, 2, LinePattern.Dashed);
                line.LegendText = marked ? "" : "majority class";
                marked = true;
            }
        }

        if (published.Count > 0)
        {
            var marks = plot.Add.Markers(published, MarkerShape.FilledDiamond, 11, PictureStyle.Ink);
            marks.LegendText = "published";
        }

        Style(plot, title);
        plot.YLabel("target metric, median over repeats", 16);
        plot.Axes.Bottom.SetTicks(
            [.. Enumerable.Range(0, table.Tasks.Count).Select(t => (double)t)],
            [.. table.Tasks.Select(task => $"{GlueTasks.Parse(task).Folder}\n{GlueMetric.Target(GlueTasks.Parse(task).Task)}")]);
        var low = table.Rows.SelectMany(row => row.Tasks.Values).Select(cell => cell.Median).DefaultIfEmpty(0).Min();
        plot.Axes.SetLimits(-0.6, table.Tasks.Count - 0.4, Math.Min(0, low * 1.1), 1);
        plot.Grid.XAxisStyle.IsVisible = false;
        plot.ShowLegend(Edge.Bottom);
        Write(path, plot, 1200, 675);
    }

    private static string Label(GlueTable table, GlueRow row)
    {
        var label = $"{row.Method}, {row.Kernel}";
        return table.Rows.Count(other => other.Method == row.Method && other.Kernel == row.Kernel) > 1 ? $"{label} ({string.Join(", ", row.Runs)})" : label;
    }

    private static void Style(Plot plot, string title) => PictureStyle.Apply(plot, title, 20, 14, 13);

    /// <summary>From near white to dark blue.</summary>
    private static Color Shade(double share)
    {
        byte Mix(int from, int to) => (byte)Math.Round(from + ((to - from) * Math.Clamp(share, 0, 1)));
        return new Color(Mix(0xF3, 0x14), Mix(0xF6, 0x4F), Mix(0xFA, 0x8B));
    }

    private static void Write(string path, Plot plot, int width, int height)
    {
        var png = plot.GetImageBytes(width, height, ImageFormat.Png);
        AtomicFile.Write(path, stream => stream.Write(png));
    }
}
