using System.Globalization;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Bert;

namespace ActorTrainer.Bench;

/// <summary>
/// <c>bubble</c>: idle share of a two-stage pipeline against the formula of its schedule, and against a simulation with the measured time of
/// every part, which tells imbalance from overhead.
/// </summary>
public static class BubbleBench
{
    private const int Stages = 2;

    // A tiny vocabulary makes embedding and head cheap, so that parts with equally many layers cost nearly the same.
    private static readonly BertConfig Arch = new() { Layers = 8, Hidden = 128, Heads = 4, FeedForward = 512, Vocabulary = 64, Sequence = 128 };

    /// <summary>Measures every schedule and prints a Markdown table.</summary>
    public static async Task Run(Arguments arguments)
    {
        var (warmUp, steps, rows) = (arguments.Number("warmup", 2), arguments.Number("steps", 7), arguments.Number("rows", 8));
        Console.WriteLine(
            $"""
            {Arch.Layers} layers of {Arch.Hidden}, micro-batches of {rows} × {Arch.Sequence} tokens, {Stages} stages of one thread, medians of {steps} steps after {warmUp} for warming up

            | schedule | micro-batches | formula | measured | difference, points | simulated with measured parts | stage busy time | hand-over, µs |
            |---|---|---|---|---|---|---|---|
            """);
        foreach (var (kind, chunks, cut) in new[]
        {
            (ScheduleKind.GPipe, 1, new[] { 5, 5 }),
            (ScheduleKind.OneForwardOneBackward, 1, [5, 5]),
            (ScheduleKind.Interleaved, 2, [3, 2, 2, 3]),
        })
        {
            foreach (var microBatches in new[] { 4, 8, 16 })
            {
                Console.WriteLine(await Row(kind, chunks, cut, rows, microBatches, warmUp, steps).ConfigureAwait(false));
            }
        }
    }

    private static async Task<string> Row(ScheduleKind kind, int chunks, int[] cut, int rows, int microBatches, int warmUp, int steps)
    {
        var loads = new List<IReadOnlyList<StageLoad>>();
        var spans = new List<StageSpan>();
        await new PipelineRun
        {
            Work = Workload.Of(Arch, rows, rows * microBatches, warmUp + steps),
            Cut = cut,
            Schedule = kind,
            Chunks = chunks,
            Spans = true,
        }.Execute(new RunProbe
        {
            Step = step => loads.Add(step.Stages),
            Spans = s => spans.AddRange(s.Where(span => span.Step > warmUp)),
        }).ConfigureAwait(false);

        var measured = Statistics.Median(loads.Skip(warmUp).Select(step => Bubble.Measured(step)!.Value));
        var formula = ScheduleMath.BubbleFraction(kind, Stages, microBatches, chunks);
        var costs = Enumerable.Range(0, cut.Length).Select(part => new PartCost(
            Cost(spans, part, InstructionKind.Forward), Cost(spans, part, InstructionKind.Backward))).ToList();
        var simulated = ScheduleSimulator.Step(kind, Stages, microBatches, chunks, costs).Bubble;
        var busy = Enumerable.Range(0, Stages).Select(stage => Statistics.Median(loads.Skip(warmUp).Select(step => step.Single(l => l.Stage == stage).Busy)));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {kind} | {microBatches} | {100 * formula:0.0} % | {100 * measured:0.0} % | {100 * (measured - formula):+0.0;−0.0} | {100 * simulated:0.0} % "
            + $"| {string.Join(" : ", busy.Select(b => b.ToString("0.000 s", CultureInfo.InvariantCulture)))} "
            + $"| {1e6 * HandOver(spans):0} |");
    }

    /// <summary>
    /// Seconds between two forwards of the first stage with nothing in between, median: its inputs are there, so this is what actor, dispatcher
    /// and thread take. NaN where the schedule has no such pair.
    /// </summary>
    private static double HandOver(IEnumerable<StageSpan> spans)
    {
        var first = spans.Where(s => s.Stage == 0).ToList();
        var gaps = first.Zip(first.Skip(1), (one, next) => (One: one, Next: next))
            .Where(pair => pair.One.Step == pair.Next.Step && IsFirstForward(pair.One) && IsFirstForward(pair.Next))
            .Select(pair => pair.Next.Start - pair.One.End)
            .ToList();
        return gaps.Count > 0 ? Statistics.Median(gaps) : double.NaN;
    }

    private static bool IsFirstForward(StageSpan span) => span.Instruction is { Kind: InstructionKind.Forward, Chunk: 0 };

    private static double Cost(IEnumerable<StageSpan> spans, int part, InstructionKind kind) => Statistics.Median(
        spans.Where(s => s.Instruction.Kind == kind && s.Instruction.Chunk * Stages + s.Stage == part).Select(s => s.End - s.Start));
}
