using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Common;
using ScottPlot;

namespace ActorTrainer.Host.Reports;

/// <summary>Draws the losses of a run: every step faintly, their running mean, held-out evaluations, and the unigram entropy as the line to beat.</summary>
public static class LossCurve
{
    private const int Width = 1200;
    private const int Height = 675;

    /// <summary>More points than this are drawn as the minimum and maximum of each of this many buckets.</summary>
    private const int Buckets = 1500;

    private static readonly Color Training = Color.FromHex("#1f77b4");
    private static readonly Color HeldOut = Color.FromHex("#d1495b");
    private static readonly Color Unigram = Color.FromHex("#6c757d");

    /// <summary>Writes a PNG of 1200 × 675 pixels. Values that are not finite are left out.</summary>
    public static void SavePng(
        string path, IReadOnlyList<StepMetrics> steps, IReadOnlyList<EvaluationMetrics> evaluations, string title)
    {
        var points = steps.Where(s => double.IsFinite(s.Loss)).Select(s => new Coordinates(s.Step, s.Loss)).ToList();
        var heldOut = evaluations.Where(e => double.IsFinite(e.Loss)).Select(e => new Coordinates(e.Step, e.Loss)).ToList();
        using var plot = new Plot();
        AddTraining(plot, points);
        AddHeldOut(plot, heldOut);
        var entropy = evaluations.Select(e => e.UnigramEntropy).LastOrDefault(double.IsFinite, double.NaN);
        if (double.IsFinite(entropy))
        {
            var line = plot.Add.HorizontalLine(entropy, 1.8f, Unigram, LinePattern.Dashed);
            line.LegendText = $"unigram entropy {entropy:0.00}";
        }

        Style(plot, title, [.. points, .. heldOut], entropy);
        var png = plot.GetImageBytes(Width, Height, ImageFormat.Png);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    private static void AddTraining(Plot plot, List<Coordinates> points)
    {
        if (points.Count == 0)
        {
            return;
        }

        var raw = plot.Add.ScatterLine(Thin(points), Training.WithAlpha(0.28));
        raw.LineWidth = 1;
        raw.LegendText = "training";
        var smooth = plot.Add.ScatterLine(Thin(Smooth(points)), Training);
        smooth.LineWidth = 2.6f;
        smooth.LegendText = "training, running mean";
    }

    private static void AddHeldOut(Plot plot, List<Coordinates> heldOut)
    {
        if (heldOut.Count == 0)
        {
            return;
        }

        var scatter = plot.Add.Scatter(heldOut, HeldOut);
        scatter.LineWidth = 1.6f;
        scatter.MarkerSize = heldOut.Count > 60 ? 4 : 8;
        scatter.LegendText = $"held out (last {heldOut[^1].Y:0.000})";
    }

    private static void Style(Plot plot, string title, List<Coordinates> points, double entropy)
    {
        PictureStyle.Apply(plot, title, 22, 14, 15);
        plot.XLabel("optimiser step", 17);
        plot.YLabel("loss (nats)", 17);
        if (points.Count == 0)
        {
            plot.Axes.SetLimits(0, 1, 0, 1);
            plot.Add.Text("no steps yet", 0.5, 0.5).LabelFontSize = 18;
            return;
        }

        var high = points.Max(p => p.Y);
        var low = points.Min(p => p.Y);
        if (double.IsFinite(entropy))
        {
            (low, high) = (Math.Min(low, entropy), Math.Max(high, entropy));
        }

        var margin = Math.Max(0.06 * (high - low), 0.05);
        var (left, right) = (points.Min(p => p.X), points.Max(p => p.X));
        plot.Axes.SetLimitsX(left - 0.01 * (right - left), right + Math.Max(0.02 * (right - left), 0.5));
        plot.Axes.SetLimitsY(Math.Min(low, Math.Max(0, low - margin)), high + margin);
        plot.ShowLegend(Alignment.UpperRight);
    }

    /// <summary>Mean over about a fiftieth of the run, centred so that it does not lag behind a falling loss; at the ends its inner half.</summary>
    private static List<Coordinates> Smooth(List<Coordinates> points)
    {
        var sums = new double[points.Count + 1];
        for (var i = 0; i < points.Count; i++)
        {
            sums[i + 1] = sums[i] + points[i].Y;
        }

        var half = Math.Clamp(points.Count / 100, 1, 500);
        return
        [
            .. points.Select((point, i) =>
            {
                var (from, to) = (Math.Max(0, i - half), Math.Min(points.Count, i + half + 1));
                return new Coordinates(point.X, (sums[to] - sums[from]) / (to - from));
            }),
        ];
    }

    private static List<Coordinates> Thin(List<Coordinates> points)
    {
        if (points.Count <= 2 * Buckets)
        {
            return points;
        }

        var thin = new List<Coordinates>(2 * Buckets);
        for (var b = 0; b < Buckets; b++)
        {
            var from = (int)((long)points.Count * b / Buckets);
            var to = (int)((long)points.Count * (b + 1) / Buckets);
            var bucket = points[from..to];
            var (low, high) = (bucket.MinBy(p => p.Y), bucket.MaxBy(p => p.Y));
            thin.AddRange(low.X <= high.X ? [low, high] : [high, low]);
        }

        return thin;
    }
}
