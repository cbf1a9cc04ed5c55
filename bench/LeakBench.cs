using System.Globalization;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ScottPlot;
using TorchSharp;

namespace ActorTrainer.Bench;

/// <summary><c>leak</c>: resident memory and live tensors over many steps of a tiny model in a two-stage pipeline.</summary>
public static class LeakBench
{
    private static readonly BertConfig Arch = new() { Layers = 2, Hidden = 32, Heads = 2, FeedForward = 64, Vocabulary = 128, Sequence = 16 };

    /// <summary>Trains, then prints the slope after the warm-up and writes <c>leak.csv</c> and <c>leak.png</c>.</summary>
    public static async Task Run(Arguments arguments)
    {
        var steps = arguments.Number("steps", 10_000);
        var every = arguments.Number("every", Math.Max(1, Math.Min(100, steps / 20)));
        var folder = Directory.CreateDirectory(arguments.Text("out", ".")).FullName;
        var samples = new List<(long Step, double Resident, long Tensors)>(steps / every);
        await new PipelineRun { Work = Workload.Of(Arch, 4, 16, steps), Cut = [2, 2] }.Execute(new RunProbe
        {
            Step = step =>
            {
                if (step.Step % every == 0)
                {
                    samples.Add((step.Step, ProcessMemory.Resident, torch.Tensor.TotalCount));
                }
            },
        }).ConfigureAwait(false);

        // Heaps, code and caches settle in the first fifth.
        var settled = samples.Where(s => s.Step > steps / 5).ToList();
        var slope = Statistics.Slope([.. settled.Select(s => (s.Step / 1000.0, s.Resident * 1024))]);
        Report(steps, every, samples[0], settled[0], settled[^1], slope);
        Save(folder, samples, slope);
    }

    private static void Report(
        int steps, int every, (long Step, double Resident, long Tensors) first, (long Step, double Resident, long Tensors) settled,
        (long Step, double Resident, long Tensors) last, double slope) => Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {steps} steps, a sample every {every}, the first {steps / 5} are warm-up

            | | step {first.Step} | step {settled.Step} | step {last.Step} |
            |---|---|---|---|
            | resident MiB | {first.Resident:0.0} | {settled.Resident:0.0} | {last.Resident:0.0} |
            | live tensors | {first.Tensors} | {settled.Tensors} | {last.Tensors} |

            slope after the warm-up: {slope:0.0} KiB per 1,000 steps
            """));

    private static void Save(string folder, List<(long Step, double Resident, long Tensors)> samples, double slope)
    {
        var lines = samples.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Step},{s.Resident:0.000},{s.Tensors}"));
        AtomicFile.WriteText(Path.Combine(folder, "leak.csv"), $"step,resident_mib,live_tensors\n{string.Join('\n', lines)}\n");

        using var plot = new Plot();
        plot.Add.ScatterLine(samples.Select(s => new Coordinates(s.Step, s.Resident)).ToArray()).LineWidth = 2;
        plot.Title(string.Create(CultureInfo.InvariantCulture, $"Resident memory, {slope:0.0} KiB per 1,000 steps"));
        plot.XLabel("optimiser step");
        plot.YLabel("MiB");
        plot.Axes.SetLimitsY(0, 1.2 * samples.Max(s => s.Resident));
        var png = plot.GetImageBytes(1000, 500, ImageFormat.Png);
        AtomicFile.Write(Path.Combine(folder, "leak.png"), stream => stream.Write(png));
    }
}
