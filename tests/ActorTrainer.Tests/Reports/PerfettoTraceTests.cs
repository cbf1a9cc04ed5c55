using System.Text.Json.Nodes;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;
using Xunit;

namespace ActorTrainer.Tests.Reports;

public class PerfettoTraceTests
{
    [Fact]
    public void A_trace_is_valid_json_with_every_span_in_order_of_time_on_its_stages_track()
    {
        var spans = Spans(1).Concat(Spans(2, 100)).Reverse().ToList();
        var events = Write(spans);
        var complete = events.Where(e => (string?)e["ph"] == "X").ToList();
        Assert.Equal(spans.Count, complete.Count);
        var times = events.Where(e => (string?)e["ph"] != "M").Select(e => (double)e["ts"]!).ToList();
        Assert.Equal(times.Order(), times);
        var backward = complete.Single(e =>
            (string?)e["name"] == "Backward 3" && (int)e["tid"]! == 1 && (long)e["args"]!["step"]! == 2 && (int)e["args"]!["chunk"]! == 0);
        var span = spans.Single(s => s is { Stage: 1, Step: 2 } && s.Instruction == new Instruction(InstructionKind.Backward, 3, 0));
        Assert.Equal(span.Start * 1e6, (double)backward["ts"]!, 2);
        Assert.Equal((span.End - span.Start) * 1e6, (double)backward["dur"]!, 2);
        Assert.Equal(3, (int)backward["args"]!["micro_batch"]!);
        Assert.Equal(["stage 0", "stage 1", "stage 2"], events.Where(e => (string?)e["name"] == "thread_name").Select(e => (string?)e["args"]!["name"]));
    }

    [Fact]
    public void Arrows_join_each_forward_to_the_next_parts_and_each_backward_to_the_one_before()
    {
        var events = Write(Spans(1));
        var starts = events.Where(e => (string?)e["ph"] == "s").ToDictionary(e => (int)e["id"]!);
        var ends = events.Where(e => (string?)e["ph"] == "f").ToDictionary(e => (int)e["id"]!);

        // 4 micro-batches over 6 parts: 5 hops forwards and 5 back.
        Assert.Equal(4 * 5 * 2, starts.Count);
        Assert.Equal(starts.Keys.Order(), ends.Keys.Order());
        Assert.All(starts, s => Assert.True((double)s.Value["ts"]! < (double)ends[s.Key]["ts"]!));
        Assert.All(starts, s => Assert.NotEqual((int)s.Value["tid"]!, (int)ends[s.Key]["tid"]!));
    }

    [Fact]
    public void A_trace_without_spans_is_still_a_trace() => Assert.Single(Write([]));

    [Fact]
    public void The_collector_keeps_the_first_and_the_last_steps_and_no_more()
    {
        var collector = new TraceCollector(2);
        for (var step = 1L; step <= 50; step++)
        {
            collector.OnSpans([Span(step, 0), Span(step, 1)]);
            Assert.True(collector.Spans.Count <= 8);
        }

        Assert.Equal([1, 1, 2, 2, 49, 49, 50, 50], collector.Spans.Select(s => s.Step));
    }

    [Fact]
    public void Spans_of_a_step_may_come_in_several_batches()
    {
        var collector = new TraceCollector(1);
        collector.OnSpans([Span(1, 0)]);
        collector.OnSpans([Span(1, 1), Span(2, 0)]);
        collector.OnSpans([Span(2, 1), Span(3, 0)]);
        Assert.Equal([1, 1, 3], collector.Spans.Select(s => s.Step));
    }

    [Fact]
    public void Steps_that_are_run_again_replace_their_earlier_try()
    {
        var collector = new TraceCollector(2);
        collector.OnSpans([Span(1, 0), Span(2, 0), Span(3, 0), Span(4, 0)]);
        collector.OnAttempt(2, 2);
        collector.OnSpans([Span(3, 1)]);
        Assert.Equal([(1L, 0), (2L, 0), (3L, 1)], collector.Spans.Select(s => (s.Step, s.Stage)));
    }

    [Fact]
    public void A_collector_of_no_steps_keeps_nothing()
    {
        var collector = new TraceCollector(0);
        collector.OnSpans([Span(1, 0)]);
        Assert.Empty(collector.Spans);
    }

    private static StageSpan Span(long step, int stage) => new(stage, step, new Instruction(InstructionKind.Forward, 0, 0), step, step + 0.5);

    /// <summary>A simulated step of 3 stages with 2 parts each and 4 micro-batches.</summary>
    private static List<StageSpan> Spans(long step, double start = 0)
    {
        var simulation = ScheduleSimulator.Step(ScheduleKind.Interleaved, 3, 4, 2, [.. Enumerable.Repeat(new PartCost(0.01, 0.02), 6)]);
        return
        [
            .. simulation.Stages.SelectMany((stage, index) =>
                stage.Select(t => new StageSpan(index, step, t.Instruction, start + t.Start, start + t.End))),
        ];
    }

    private static List<JsonObject> Write(IEnumerable<StageSpan> spans)
    {
        var path = Path.Combine(Samples.Folder(), "trace.json");
        PerfettoTrace.Write(path, spans);
        return [.. JsonNode.Parse(File.ReadAllText(path))!["traceEvents"]!.AsArray().Select(e => e!.AsObject())];
    }
}
