using Spectre.Console;
using Spectre.Console.Rendering;

namespace ActorTrainer.Host.Views;

/// <summary>One picture of a run, drawn from what its tracker knows.</summary>
internal static class LiveFrame
{
    private const int ChartRows = 5;
    private const int LabelWidth = 10;

    /// <param name="width">Columns of the terminal.</param>
    /// <param name="unicode">Whether the terminal shows blocks and braille.</param>
    public static IRenderable Draw(
        string name, RunTracker run, RunBudget budget, double? formulaBubble, IEnumerable<string> notices, int width, bool unicode)
    {
        var inner = Math.Clamp(width - 6, 20, 110);
        var rows = new List<IRenderable> { Progress(run, budget, inner, unicode), new Text(""), Numbers(run) };
        if (run.Losses.Count > 1)
        {
            rows.Add(new Text(""));
            rows.Add(Chart(run, inner, unicode));
        }

        var stages = run.StageLoads;
        if (stages.Count > 0)
        {
            rows.Add(new Text(""));
            rows.AddRange(stages.Select(s => Row($"stage {s.Stage}", $"{Bar(s.Busy, inner - LabelWidth - 14, "green", unicode)} {100 * s.Busy,3:0} % busy")));
            rows.Add(Row("bubble", formulaBubble is { } formula
                ? $"{Format.Percent(run.MeasuredBubble)} measured, {Format.Percent(formula)} by the formula for equal stages"
                : $"{Format.Percent(run.MeasuredBubble)} measured"));
            if (run.OwnerShare is { } owner)
            {
                rows.Add(Row("data owner", $"{Format.Percent(owner)} of the stages' time is waiting for it"));
            }
        }

        var lines = notices.ToList();
        if (lines.Count > 0)
        {
            rows.Add(new Text(""));
            rows.AddRange(lines.Select(l => new Text(Shorten(l, inner, unicode), new Style(Color.Grey))));
        }

        var title = run.Attempt > 1 ? $"{Markup.Escape(name)}, attempt {run.Attempt}" : Markup.Escape(name);
        return new Panel(new Rows(rows))
        {
            Header = new PanelHeader($" {title} "),
            Border = unicode ? BoxBorder.Rounded : BoxBorder.Ascii,
            BorderStyle = new Style(Color.Grey),
            Padding = new Padding(2, 0, 1, 0),
            Width = inner + 6,
        };
    }

    private static IRenderable Progress(RunTracker run, RunBudget budget, int inner, bool unicode)
    {
        if (run.Step is not { } step)
        {
            return new Markup($"[grey]waiting for the first step[/]   {Format.Duration(run.Elapsed)}");
        }

        var text = $"{Format.Percent(step.Progress)}   {Markup.Escape(budget.Position(step))}";
        return new Markup($"{Bar(step.Progress, Math.Max(8, inner - Markup.Remove(text).Length - 3), "blue", unicode)}   {text}");
    }

    private static IRenderable Numbers(RunTracker run)
    {
        var rows = new List<IRenderable>();
        if (run.Step is { } step)
        {
            rows.Add(Row("loss", $"[bold]{Format.Loss(step)}[/]   lr {step.LearningRate:0.00e+0}   gradient norm {Format.GradientNorm(step)}" +
                (run.Skipped > 0 ? $"   [yellow]{run.Skipped} updates skipped[/]" : "")));
        }

        if (run.Evaluation is { } evaluation)
        {
            var best = run.BestEvaluation is { } b && b.Step != evaluation.Step ? $"   best {b.Loss:0.000} at step {b.Step:N0}" : "";
            rows.Add(Row("held out", $"[bold]{evaluation.Loss:0.000}[/] at step {evaluation.Step:N0}   unigram {evaluation.UnigramEntropy:0.000}   " +
                $"accuracy {Format.Percent(evaluation.Accuracy)}{best}"));
        }

        if (run.Step is not null)
        {
            rows.Add(Row("speed", $"{(run.TokensPerSecond is { } rate ? Format.Count(rate) : "–")} tokens/s   " +
                $"elapsed {Format.Duration(run.Elapsed)}   left {Format.Duration(run.Left)}"));
        }

        return new Rows(rows);
    }

    private static IRenderable Chart(RunTracker run, int inner, bool unicode)
    {
        var losses = run.Losses;
        var (high, low) = ($"{losses.Max():0.00}", $"{losses.Min():0.00}");
        if (!unicode)
        {
            return Row("loss", $"{high} to {low}, {losses[^1]:0.00} now");
        }

        var lines = BrailleChart.Render(losses, inner - LabelWidth, ChartRows);
        return new Rows(lines.Select((line, i) => Row(i == 0 ? high : i == ChartRows - 1 ? low : "", $"[blue]{line}[/]")));
    }

    private static Markup Row(string label, string markup) => new($"[grey]{label.PadRight(LabelWidth)}[/]{markup}") { Overflow = Overflow.Ellipsis };

    private static string Bar(double share, int width, string colour, bool unicode)
    {
        width = Math.Max(4, width);
        var full = (int)Math.Round(Math.Clamp(share, 0, 1) * width);
        var (used, free) = unicode ? ('█', '░') : ('#', '.');
        return $"[{colour}]{new string(used, full)}[/][grey]{new string(free, width - full)}[/]";
    }

    private static string Shorten(string line, int width, bool unicode) =>
        line.Length <= width ? line : line[..(width - 3)] + (unicode ? "…" : "...");
}
