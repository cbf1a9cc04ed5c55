using System.Text.Json;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Reports;

/// <summary>
/// Writes stage timings in the Chrome trace-event format (JSON object form), which Perfetto and chrome://tracing open: one
/// track per stage, one complete event ("X", µs) per instruction, flow arrows from each part's forward to the next part's and
/// from each backward to the one before.
/// </summary>
public static class PerfettoTrace
{
    private const int FlushBytes = 1 << 16;

    /// <summary>Writes the spans in order of their start times.</summary>
    public static void Write(string path, IEnumerable<StageSpan> spans)
    {
        var ordered = spans.OrderBy(s => s.Start).ThenBy(s => s.Stage).ToList();
        AtomicFile.Write(path, stream =>
        {
            using var json = new Utf8JsonWriter(stream);
            json.WriteStartObject();
            json.WriteString("displayTimeUnit", "ms");
            json.WriteStartArray("traceEvents");
            var stages = ordered.Count == 0 ? 0 : ordered.Max(s => s.Stage) + 1;
            WriteNames(json, stages);
            var chunks = ordered.Count == 0 ? 1 : Math.Max(1, ordered.Max(s => s.Instruction.Chunk) + 1);
            var flows = new Flows(new PipelineTopology(Math.Max(1, stages), chunks), ordered);
            foreach (var span in ordered)
            {
                WriteSpan(json, span);
                flows.Write(json, span);
                if (json.BytesPending > FlushBytes)
                {
                    json.Flush();
                }
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static void WriteNames(Utf8JsonWriter json, int stages)
    {
        Metadata("process_name", 0, () => json.WriteString("name", "pipeline"));
        for (var stage = 0; stage < stages; stage++)
        {
            Metadata("thread_name", stage, () => json.WriteString("name", $"stage {stage}"));
            Metadata("thread_sort_index", stage, () => json.WriteNumber("sort_index", stage));
        }

        void Metadata(string name, int stage, Action value)
        {
            json.WriteStartObject();
            json.WriteString("ph", "M");
            json.WriteString("name", name);
            json.WriteNumber("pid", 0);
            json.WriteNumber("tid", stage);
            json.WriteStartObject("args");
            value();
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static void WriteSpan(Utf8JsonWriter json, StageSpan span)
    {
        var instruction = span.Instruction;
        json.WriteStartObject();
        json.WriteString("ph", "X");
        json.WriteString("name", instruction.MicroBatch < 0 ? $"{instruction.Kind}" : $"{instruction.Kind} {instruction.MicroBatch}");
        json.WriteString("cat", Category(instruction.Kind));
        json.WriteNumber("pid", 0);
        json.WriteNumber("tid", span.Stage);
        json.WriteNumber("ts", Microseconds(span.Start));
        json.WriteNumber("dur", Math.Max(0, Microseconds(span.End) - Microseconds(span.Start)));
        json.WriteStartObject("args");
        json.WriteNumber("step", span.Step);
        if (instruction.MicroBatch >= 0)
        {
            json.WriteNumber("micro_batch", instruction.MicroBatch);
            json.WriteNumber("chunk", instruction.Chunk);
        }

        if (span.Waited > 0)
        {
            json.WriteNumber("owner_wait_ms", Math.Round(span.Waited * 1e3, 3));
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string Category(InstructionKind kind) => kind switch
    {
        InstructionKind.Forward => "forward",
        InstructionKind.Backward => "backward",
        InstructionKind.ReceiveActivation or InstructionKind.ReceiveGradient or InstructionKind.ReceiveTiedGradient
            or InstructionKind.ReceiveTiedWeight => "wait",
        InstructionKind.SendActivation or InstructionKind.SendGradient or InstructionKind.SendTiedGradient
            or InstructionKind.SendTiedWeight => "send",
        _ => "optimiser",
    };

    /// <summary>Microseconds to the nanosecond, so that the file stays short and spans of equal ends stay equal.</summary>
    private static double Microseconds(double seconds) => Math.Round(seconds * 1e6, 3);

    /// <summary>Arrows between spans; only those of which both ends are in the trace.</summary>
    private sealed class Flows
    {
        private readonly PipelineTopology _topology;
        private readonly HashSet<(long Step, InstructionKind Kind, int MicroBatch, int Part)> _spans;
        private readonly Dictionary<(long, InstructionKind, int, int), int> _ids = [];

        public Flows(PipelineTopology topology, IEnumerable<StageSpan> spans)
        {
            _topology = topology;
            _spans = [.. spans.Where(s => IsCompute(s.Instruction.Kind)).Select(Key)];
        }

        /// <summary>An arrow is bound to the span that encloses its time stamp, hence the span's own start for both of its ends.</summary>
        public void Write(Utf8JsonWriter json, StageSpan span)
        {
            if (!IsCompute(span.Instruction.Kind))
            {
                return;
            }

            var key = Key(span);
            var direction = span.Instruction.Kind == InstructionKind.Forward ? 1 : -1;
            if (_spans.Contains(key with { Part = key.Part - direction }))
            {
                WriteEnd(json, span, "f", Id(key));
            }

            var next = key with { Part = key.Part + direction };
            if (_spans.Contains(next))
            {
                WriteEnd(json, span, "s", Id(next));
            }
        }

        private static bool IsCompute(InstructionKind kind) => kind is InstructionKind.Forward or InstructionKind.Backward;

        private (long Step, InstructionKind Kind, int MicroBatch, int Part) Key(StageSpan span) => (
            span.Step, span.Instruction.Kind, span.Instruction.MicroBatch,
            _topology.PartOf(span.Stage, Math.Max(span.Instruction.Chunk, 0)));

        private int Id((long, InstructionKind, int, int) arrow)
        {
            if (!_ids.TryGetValue(arrow, out var id))
            {
                _ids[arrow] = id = _ids.Count + 1;
            }

            return id;
        }

        private static void WriteEnd(Utf8JsonWriter json, StageSpan span, string phase, int id)
        {
            json.WriteStartObject();
            json.WriteString("ph", phase);
            if (phase == "f")
            {
                json.WriteString("bp", "e");
            }

            json.WriteString("name", "transfer");
            json.WriteString("cat", "flow");
            json.WriteNumber("id", id);
            json.WriteNumber("pid", 0);
            json.WriteNumber("tid", span.Stage);
            json.WriteNumber("ts", Microseconds(span.Start));
            json.WriteEndObject();
        }
    }
}
