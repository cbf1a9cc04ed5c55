using ActorTrainer.Actors.Schedules;
using Xunit;
using static ActorTrainer.Actors.Schedules.InstructionKind;

namespace ActorTrainer.Tests.Schedules;

public class PipelineScheduleTests
{
    /// <summary>Every pipeline of up to 8 stages, 32 micro-batches and 4 chunks.</summary>
    internal static IEnumerable<(ScheduleKind Kind, int Stages, int MicroBatches, int Chunks)> Shapes() =>
        from stages in Enumerable.Range(1, 8)
        from microBatches in Enumerable.Range(1, 32)
        from variant in new[]
        {
            (ScheduleKind.GPipe, 1), (ScheduleKind.OneForwardOneBackward, 1),
            (ScheduleKind.Interleaved, 2), (ScheduleKind.Interleaved, 3), (ScheduleKind.Interleaved, 4),
        }
        select (variant.Item1, stages, microBatches, variant.Item2);

    internal static IReadOnlyList<Instruction>[] Programs((ScheduleKind Kind, int Stages, int MicroBatches, int Chunks) shape) =>
        [.. Enumerable.Range(0, shape.Stages).Select(s => PipelineSchedule.Build(shape.Kind, s, shape.Stages, shape.MicroBatches, shape.Chunks))];

    [Fact]
    public void Without_a_tied_table_nothing_of_it_is_in_any_program_and_no_schedule_deadlocks()
    {
        foreach (var (kind, chunks) in new[] { (ScheduleKind.GPipe, 1), (ScheduleKind.OneForwardOneBackward, 1), (ScheduleKind.Interleaved, 2) })
        {
            for (var stages = 1; stages <= 4; stages++)
            {
                for (var microBatches = 1; microBatches <= 9; microBatches++)
                {
                    var untied = Enumerable.Range(0, stages).Select(s => PipelineSchedule.Build(kind, s, stages, microBatches, chunks, tied: false)).ToList();
                    for (var stage = 0; stage < stages; stage++)
                    {
                        var tied = PipelineSchedule.Build(kind, stage, stages, microBatches, chunks);
                        Assert.Equal(tied.Where(i => !i.Kind.ToString().Contains("Tied", StringComparison.Ordinal)), untied[stage]);
                    }

                    ScheduleSimulator.Run(untied, [.. Enumerable.Repeat(new PartCost(1, 2), stages * chunks)]);
                }
            }
        }
    }

    [Fact]
    public void Every_micro_batch_goes_once_each_way_through_every_part_with_its_backward_ascending_and_after_its_forward()
    {
        foreach (var shape in Shapes())
        {
            foreach (var program in Programs(shape))
            {
                for (var chunk = 0; chunk < shape.Chunks; chunk++)
                {
                    var all = Enumerable.Range(0, shape.MicroBatches).ToList();
                    Assert.Equal(all, program.Where(i => i.Kind == Forward && i.Chunk == chunk).Select(i => i.MicroBatch));
                    Assert.Equal(all, program.Where(i => i.Kind == Backward && i.Chunk == chunk).Select(i => i.MicroBatch));
                }

                var forwarded = new HashSet<(int, int)>();
                foreach (var instruction in program)
                {
                    if (instruction.Kind == Forward)
                    {
                        forwarded.Add((instruction.Chunk, instruction.MicroBatch));
                    }
                    else if (instruction.Kind == Backward)
                    {
                        Assert.Contains((instruction.Chunk, instruction.MicroBatch), forwarded);
                    }
                }
            }
        }
    }

    [Fact]
    public void Every_forward_and_backward_stands_between_its_receive_and_its_send()
    {
        foreach (var shape in Shapes())
        {
            var topology = new PipelineTopology(shape.Stages, shape.Chunks);
            var programs = Programs(shape);
            for (var stage = 0; stage < shape.Stages; stage++)
            {
                var expected = new List<Instruction>();
                foreach (var (kind, microBatch, chunk) in programs[stage].Where(i => i.Kind is Forward or Backward))
                {
                    var part = topology.PartOf(stage, chunk);
                    InstructionKind?[] kinds = kind == Forward
                        ? [ReceiveActivation, Forward, part == topology.LastPart ? null : SendActivation]
                        : [part == topology.LastPart ? null : ReceiveGradient, Backward, part == 0 ? null : SendGradient];
                    expected.AddRange(kinds.OfType<InstructionKind>().Select(k => new Instruction(k, microBatch, chunk)));
                }

                Assert.Equal(expected, programs[stage].Where(i => i.MicroBatch >= 0));
            }
        }
    }

    [Fact]
    public void Every_receive_has_exactly_one_send_and_every_send_exactly_one_receive()
    {
        foreach (var shape in Shapes())
        {
            var topology = new PipelineTopology(shape.Stages, shape.Chunks);
            var sends = new List<(string, int, int, int, int?)>();
            var receives = new List<(string, int, int, int, int?)>();
            var programs = Programs(shape);
            for (var stage = 0; stage < shape.Stages; stage++)
            {
                foreach (var i in programs[stage])
                {
                    var part = topology.PartOf(stage, i.Chunk);
                    var peer = topology.Peer(stage, i);
                    switch (i.Kind)
                    {
                        case SendActivation: sends.Add(("activation", part, i.MicroBatch, stage, peer)); break;
                        case ReceiveActivation when part > 0: receives.Add(("activation", part - 1, i.MicroBatch, peer!.Value, stage)); break;
                        case SendGradient: sends.Add(("gradient", part, i.MicroBatch, stage, peer)); break;
                        case ReceiveGradient: receives.Add(("gradient", part + 1, i.MicroBatch, peer!.Value, stage)); break;
                        case SendTiedGradient: sends.Add(("tied gradient", 0, 0, stage, peer)); break;
                        case ReceiveTiedGradient: receives.Add(("tied gradient", 0, 0, peer!.Value, stage)); break;
                        case SendTiedWeight: sends.Add(("tied weight", 0, 0, stage, peer)); break;
                        case ReceiveTiedWeight: receives.Add(("tied weight", 0, 0, peer!.Value, stage)); break;
                    }
                }
            }

            Assert.Equal(sends.Count, sends.Distinct().Count());
            Assert.Equal(sends.Count, receives.Count);
            Assert.Equal(sends.ToHashSet(), receives.ToHashSet());
            Assert.Equal(2 * shape.MicroBatches * (topology.Parts - 1) + (shape.Stages > 1 ? 2 : 0), sends.Count);
        }
    }

    [Fact]
    public void Activations_in_flight_reach_but_never_exceed_the_bound_of_the_schedule()
    {
        foreach (var shape in Shapes())
        {
            var programs = Programs(shape);
            for (var stage = 0; stage < shape.Stages; stage++)
            {
                var (inFlight, most) = (0, 0);
                foreach (var instruction in programs[stage])
                {
                    inFlight += instruction.Kind switch { Forward => 1, Backward => -1, _ => 0 };
                    most = Math.Max(most, inFlight);
                }

                Assert.Equal(0, inFlight);
                Assert.Equal(ScheduleMath.MaxInFlight(shape.Kind, stage, shape.Stages, shape.MicroBatches, shape.Chunks), most);
                var (p, m, v) = (shape.Stages, shape.MicroBatches, shape.Chunks);
                var published = shape.Kind switch
                {
                    ScheduleKind.GPipe => m,
                    ScheduleKind.OneForwardOneBackward => Math.Min(m, p - stage),
                    _ => m % p == 0 ? Math.Min(m * v, 2 * (p - stage - 1) + (v - 1) * p + 1) : m * v,
                };
                Assert.True(most <= published, $"{shape} stage {stage}: {most} in flight, at most {published} allowed");
            }
        }
    }

    [Fact]
    public void The_tied_table_and_the_optimiser_come_once_per_stage_and_in_order_after_the_pipeline()
    {
        foreach (var shape in Shapes())
        {
            var programs = Programs(shape);
            for (var stage = 0; stage < shape.Stages; stage++)
            {
                InstructionKind[] expected = (stage == 0, stage == shape.Stages - 1) switch
                {
                    (true, true) => [ReduceTied, ReduceNorm, OptimiserStep],
                    (true, false) => [ReceiveTiedGradient, ReduceTied, ReduceNorm, OptimiserStep, SendTiedWeight],
                    (false, true) => [SendTiedGradient, ReduceNorm, OptimiserStep, ReceiveTiedWeight],
                    _ => [ReduceNorm, OptimiserStep],
                };
                Assert.Equal(expected, programs[stage].SkipWhile(i => i.MicroBatch >= 0).Select(i => i.Kind));
            }
        }
    }

    [Fact]
    public void One_forward_one_backward_of_four_micro_batches_on_two_stages_is_the_textbook_one()
    {
        Assert.Equal("F0 F1 B0 F2 B1 F3 B2 B3", Short(PipelineSchedule.Build(ScheduleKind.OneForwardOneBackward, 0, 2, 4)));
        Assert.Equal("F0 B0 F1 B1 F2 B2 F3 B3", Short(PipelineSchedule.Build(ScheduleKind.OneForwardOneBackward, 1, 2, 4)));
        Assert.Equal("F0 F1 F2 F3 B0 B1 B2 B3", Short(PipelineSchedule.Build(ScheduleKind.GPipe, 0, 2, 4)));
    }

    [Fact]
    public void Interleaving_four_micro_batches_on_two_stages_of_two_parts_is_megatrons_order()
    {
        // Virtual micro-batches 0 … 7; "b" is the stage's second part.
        Assert.Equal(
            "F0 F1 F0b F1b F2 B0b F3 B1b F2b B0 F3b B1 B2b B3b B2 B3",
            Short(PipelineSchedule.Build(ScheduleKind.Interleaved, 0, 2, 4, 2)));
        Assert.Equal(
            "F0 F1 F0b B0b F1b B1b F2 B0 F3 B1 F2b B2b F3b B3b B2 B3",
            Short(PipelineSchedule.Build(ScheduleKind.Interleaved, 1, 2, 4, 2)));
    }

    [Fact]
    public void Evaluation_runs_every_part_forward_and_nothing_else()
    {
        foreach (var (stages, microBatches, chunks) in new[] { (1, 3, 1), (3, 5, 1), (3, 7, 2), (2, 1, 4) })
        {
            var programs = Enumerable.Range(0, stages).Select(s => PipelineSchedule.Evaluation(s, stages, microBatches, chunks)).ToArray();
            var costs = Enumerable.Repeat(new PartCost(1, 2), stages * chunks).ToArray();
            var simulation = ScheduleSimulator.Run(programs, costs);
            Assert.Equal(stages * chunks * microBatches, simulation.Stages.SelectMany(s => s).Count(t => t.Instruction.Kind == Forward));
            Assert.All(programs.SelectMany(p => p), i => Assert.Contains(i.Kind, new[] { ReceiveActivation, Forward, SendActivation }));
        }
    }

    [Theory]
    [InlineData(ScheduleKind.GPipe, 0, 2, 4, 2, "GPipe schedule has 1 part per stage, got 2")]
    [InlineData(ScheduleKind.OneForwardOneBackward, 0, 2, 4, 3, "OneForwardOneBackward schedule has 1 part per stage, got 3")]
    [InlineData(ScheduleKind.Interleaved, 0, 2, 4, 1, "interleaved schedule needs at least 2 parts per stage, got 1")]
    [InlineData(ScheduleKind.GPipe, 2, 2, 4, 1, "Stage 2 is not one of the pipeline's 2 stages")]
    [InlineData(ScheduleKind.GPipe, -1, 2, 4, 1, "Stage -1 is not one of the pipeline's 2 stages")]
    [InlineData(ScheduleKind.GPipe, 0, 0, 4, 1, "at least 1 stage, got 0")]
    [InlineData(ScheduleKind.GPipe, 0, 2, 0, 1, "at least 1 micro-batch, got 0")]
    [InlineData(ScheduleKind.Interleaved, 0, 2, 4, 0, "at least 1 model part, got 0")]
    [InlineData((ScheduleKind)9, 0, 2, 4, 1, "Unknown schedule 9")]
    public void A_shape_that_does_not_fit_is_refused_with_its_numbers(
        ScheduleKind kind, int stage, int stages, int microBatches, int chunks, string message)
    {
        var e = Assert.Throws<ArgumentException>(() => PipelineSchedule.Build(kind, stage, stages, microBatches, chunks));
        Assert.Contains(message, e.Message);
    }

    private static string Short(IReadOnlyList<Instruction> program) => string.Join(' ', program
        .Where(i => i.Kind is Forward or Backward)
        .Select(i => $"{(i.Kind == Forward ? 'F' : 'B')}{i.MicroBatch}{(i.Chunk == 1 ? "b" : "")}"));
}
