using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Common;
using ScottPlot;
using SkiaSharp;

namespace ActorTrainer.Host.Encrypted.Planning;

/// <summary>Draws a plan: on top the levels that refreshes find and lift to over the time of the program, below the time of each block.</summary>
internal static class PlanPicture
{
    private const int Width = 1400;
    private const int Height = 520;

    /// <summary>Writes a PNG of 1400 × 1040 pixels. Units that are alike are drawn once.</summary>
    public static void Save(string path, PlanReport report)
    {
        string[] blocks = [.. report.Distinct.SelectMany(entry => entry.Unit.Blocks).Select(block => block.Name).Distinct()];
        var colours = blocks.Select((name, i) => (name, Colour: PictureStyle.Palette[i % PictureStyle.Palette.Count])).ToDictionary(pair => pair.name, pair => pair.Colour);
        using var levels = Levels(report, colours);
        using var times = Times(report, colours);
        using var top = SKBitmap.Decode(levels.GetImageBytes(Width, Height, ImageFormat.Png));
        using var bottom = SKBitmap.Decode(times.GetImageBytes(Width, Height, ImageFormat.Png));
        using var surface = SKSurface.Create(new SKImageInfo(Width, 2 * Height));
        surface.Canvas.DrawBitmap(top, 0, 0);
        surface.Canvas.DrawBitmap(bottom, 0, Height);
        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, 100);
        AtomicFile.Write(path, png.SaveTo);
    }

    /// <summary>Passes one after the other: forward of each kind of unit, backward in the reverse order, steps.</summary>
    private static Plot Levels(PlanReport report, Dictionary<string, Color> colours)
    {
        var plot = new Plot();
        var (speed, at) = (report.Speed, 0.0);
        var units = report.Distinct;
        var order = units.Select(entry => (entry, PlanPass.Forward)).Concat(units.Reverse().Select(entry => (entry, PlanPass.Backward))).Concat(units.Select(entry => (entry, PlanPass.Step)));
        var highest = 1;
        var seen = new HashSet<string>();
        var ticks = new List<(double At, string Text)>();
        foreach (var ((_, unit, _), pass) in order)
        {
            var length = unit.Seconds(pass, speed.Costs, 1) * speed.Factor;
            foreach (var moment in unit.Moments.Where(moment => moment.Pass == pass))
            {
                var x = at + Math.Min(length, moment.Seconds * speed.Factor);
                var line = plot.Add.Line(x, moment.From, x, moment.To);
                (line.Color, line.LineWidth) = (colours[moment.Block], 2);
                line.MarkerShape = MarkerShape.None;
                var mark = plot.Add.Marker(x, moment.To, MarkerShape.FilledTriangleUp, 7, colours[moment.Block]);
                mark.LegendText = seen.Add(moment.Block) ? moment.Block : "";
                highest = Math.Max(highest, moment.To);
            }

            ticks.Add((at + (length / 2), $"{unit.Name}\n{$"{pass}".ToLowerInvariant()}"));
            at += length;
            plot.Add.VerticalLine(at, 1, PictureStyle.Ink.WithAlpha(0.25), LinePattern.Dotted);
        }

        Style(plot, $"{report.Name}: levels that refreshes find and lift to, over one micro-batch and the step ({at:0.0} s of one node)");
        plot.YLabel("level", 16);
        // Names of short passes would lie on one another.
        var wide = ticks.Index().Where(tick => tick.Index == 0 || tick.Item.At - ticks[tick.Index - 1].At > at / 16).Select(tick => tick.Item).ToArray();
        plot.Axes.Bottom.SetTicks([.. wide.Select(tick => tick.At)], [.. wide.Select(tick => tick.Text)]);
        plot.Axes.SetLimits(0, Math.Max(at, 1e-9), -0.5, highest + 1);
        plot.ShowLegend(Edge.Right);
        return plot;
    }

    /// <summary>Seconds of each block, forward and backward and step apart.</summary>
    private static Plot Times(PlanReport report, Dictionary<string, Color> colours)
    {
        var plot = new Plot();
        var (speed, place) = (report.Speed, 0);
        var ticks = new List<(double At, string Text)>();
        foreach (var (_, unit, _) in report.Distinct)
        {
            foreach (var block in unit.Blocks)
            {
                var seconds = block.Seconds(speed.Costs, 1) * speed.Factor;
                plot.Add.Bar(new Bar
                {
                    Position = place,
                    Value = seconds,
                    Size = 0.8,
                    FillColor = colours[block.Name].WithAlpha(block.Pass == PlanPass.Forward ? 0.6 : 1),
                    LineWidth = 0,
                });
                ticks.Add((place++, $"{unit.Name} {block.Name}, {$"{block.Pass}".ToLowerInvariant()}"));
            }

            place++;
        }

        Style(plot, $"{report.Name}: predicted seconds of each block on one node of {speed.Cores} cores, diagonals in a cache");
        plot.YLabel("seconds", 16);
        plot.Axes.Bottom.SetTicks([.. ticks.Select(tick => tick.At)], [.. ticks.Select(tick => tick.Text)]);
        plot.Axes.Bottom.TickLabelStyle.Rotation = 60;
        plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleLeft;
        plot.Axes.Bottom.TickLabelStyle.FontSize = 11;
        plot.Axes.Bottom.MinimumSize = 190;
        plot.Axes.Margins(bottom: 0);
        plot.Grid.XAxisStyle.IsVisible = false;
        return plot;
    }

    private static void Style(Plot plot, string title) => PictureStyle.Apply(plot, title, 18, 13, 12);
}
