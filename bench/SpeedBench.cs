using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Stages;
using static TorchSharp.torch;

namespace ActorTrainer.Bench;

/// <summary>
/// <c>pipeline</c>: tokens per second and memory of a two-stage pipeline and of the plain loop. Every measurement is a child process, and
/// the trainers take turns, so that memory is comparable and a slow minute of the machine hits all of them.
/// </summary>
public static class SpeedBench
{
    private const string Pipeline = "pipeline";

    /// <summary>Measures shapes and prints a Markdown table.</summary>
    public static async Task Run(Arguments arguments)
    {
        var shapes = arguments.Text("shapes", string.Join(',', Shape.All.Select(s => s.Name))).Split(',').Select(Shape.Of).ToList();
        var (rounds, warmUp, steps) = (arguments.Number("rounds", 5), arguments.Number("warmup", 2), arguments.Number("steps", 4));
        var cores = Environment.ProcessorCount;
        Console.WriteLine($"Plain loop against two stages of one thread each, {cores} cores, {rounds} rounds of {steps} steps after {warmUp} for warming up; medians [min–max].\n");
        foreach (var shape in shapes)
        {
            await Compare(shape, cores, rounds, warmUp, steps).ConfigureAwait(false);
        }
    }

    /// <summary>The child's side: measures once and prints the result as one line of JSON.</summary>
    public static async Task Measure(Arguments arguments)
    {
        var cut = arguments.Text("cut", "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray();
        var result = await SpeedMeasurement.Take(
            arguments.Text("trainer", ""), Shape.Of(arguments.Text("shape", "")), arguments.Number("threads", 1), cut,
            arguments.Number("warmup", 2), arguments.Number("steps", 4)).ConfigureAwait(false);
        Console.WriteLine(JsonSerializer.Serialize(result));
    }

    private static async Task Compare(Shape shape, int cores, int rounds, int warmUp, int steps)
    {
        var costs = UnitCosts.Measure(shape.Arch, shape.MicroBatch, shape.Work(1).TargetsPerSequence, 1, CPU, false);
        var partition = StagePartition.ByCost(costs, 2);
        var cut = partition.Parts.Select(part => part.Count).ToArray();
        var stageCosts = partition.Parts.Select(part => costs.Skip(part.First).Take(part.Count).Sum()).ToArray();

        // One thread is for information: it is what a stage computes with.
        var trainers = new List<(string Trainer, int Threads)> { ("plain", cores), (Pipeline, 1) };
        if (cores > 1)
        {
            trainers.Add(("plain", 1));
        }

        var taken = trainers.ToDictionary(t => t, _ => new List<SpeedMeasurement>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (trainer, threads) in trainers)
            {
                taken[(trainer, threads)].Add(await Child(
                    $"trainer={trainer}", $"shape={shape.Name}", $"threads={threads}", $"cut={string.Join(',', cut)}", $"warmup={warmUp}", $"steps={steps}")
                    .ConfigureAwait(false));
            }
        }

        Console.WriteLine(
            $"""
            {shape}; cut {partition}, stage costs {string.Join(" : ", stageCosts.Select(c => c / stageCosts.Max()).Select(c => c.ToString("0.00", CultureInfo.InvariantCulture)))}

            | trainer | tokens/s | to plain, {cores} threads | CPU s/step | peak MiB | steady MiB | peak to plain | loss |
            |---|---|---|---|---|---|---|---|
            """);
        var plain = taken[trainers[0]];
        foreach (var key in trainers)
        {
            Console.WriteLine(Row(key, taken[key], plain));
        }

        Console.WriteLine();
    }

    private static string Row((string Trainer, int Threads) key, List<SpeedMeasurement> taken, List<SpeedMeasurement> plain)
    {
        var name = key.Trainer == Pipeline ? "pipeline, 2 stages" : $"plain, {key.Threads} thread(s)";
        var ratios = taken.Zip(plain, (one, other) => one.TokensPerSecond / other.TokensPerSecond).ToList();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {Summary(taken.Select(t => t.TokensPerSecond), "N0")} | {Summary(ratios, "0.00")} | {Summary(taken.Select(t => t.CpuSeconds), "0.00")} "
            + $"| {Summary(taken.Select(t => t.PeakMemory), "0")} | {Summary(taken.Select(t => t.SteadyMemory), "0")} | {Statistics.Median(taken.Select(t => t.PeakMemory)) / Statistics.Median(plain.Select(t => t.PeakMemory)):0.00} "
            + $"| {string.Join(", ", taken.Select(t => t.Loss.ToString("R", CultureInfo.InvariantCulture)).Distinct())} |");
    }

    private static string Summary(IEnumerable<double> values, string format)
    {
        var list = values.ToList();
        return $"{Text(Statistics.Median(list))} [{Text(list.Min())}–{Text(list.Max())}]";

        string Text(double value) => value.ToString(format, CultureInfo.InvariantCulture);
    }

    private static async Task<SpeedMeasurement> Child(params string[] arguments)
    {
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(Assembly.GetExecutingAssembly().Location);
        }

        start.ArgumentList.Add("measure");
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var child = Process.Start(start)!;
        var output = await child.StandardOutput.ReadToEndAsync().ConfigureAwait(false);
        await child.WaitForExitAsync().ConfigureAwait(false);
        return child.ExitCode == 0 && output.Trim().Split('\n')[^1] is { Length: > 0 } line
            ? JsonSerializer.Deserialize<SpeedMeasurement>(line)!
            : throw new RefusedException($"The measurement '{string.Join(' ', arguments)}' failed with exit code {child.ExitCode}.");
    }
}
