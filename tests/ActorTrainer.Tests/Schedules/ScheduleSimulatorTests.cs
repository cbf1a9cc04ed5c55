using ActorTrainer.Actors.Schedules;
using Xunit;
using static ActorTrainer.Actors.Schedules.InstructionKind;

namespace ActorTrainer.Tests.Schedules;

public class ScheduleSimulatorTests
{
    private static PartCost[] Equal(int parts) => [.. Enumerable.Repeat(new PartCost(1, 2), parts)];

    [Fact]
    public void No_schedule_deadlocks_and_equal_stages_idle_as_the_formula_says()
    {
        foreach (var shape in PipelineScheduleTests.Shapes())
        {
            var (kind, p, m, v) = shape;
            var simulation = ScheduleSimulator.Step(kind, p, m, v, Equal(p * v));
            Assert.All(simulation.Stages.Zip(PipelineScheduleTests.Programs(shape)), pair =>
                Assert.Equal(pair.Item2, pair.Item1.Select(t => t.Instruction)));
            var formula = ScheduleMath.BubbleFraction(kind, p, m, v);
            if (kind != ScheduleKind.Interleaved || m % p == 0)
            {
                Assert.Equal(formula, simulation.Bubble, 12);
                Assert.Equal(3.0 * (m * v + p - 1), simulation.Makespan, 9);
            }
            else
            {
                Assert.True(simulation.Bubble >= formula - 1e-12, $"{shape}: {simulation.Bubble} below {formula}");
            }
        }
    }

    [Fact]
    public void Interleaving_idles_less_than_one_forward_one_backward_for_any_number_of_micro_batches_from_the_stages_on()
    {
        foreach (var p in Enumerable.Range(2, 7))
        {
            foreach (var m in Enumerable.Range(p, 33 - p))
            {
                // The same model: v parts of a stage take as long as the one part of plain 1F1B.
                var plain = ScheduleSimulator.Step(ScheduleKind.OneForwardOneBackward, p, m, 1, [.. Enumerable.Repeat(new PartCost(4, 8), p)]);
                var interleaved = ScheduleSimulator.Step(ScheduleKind.Interleaved, p, m, 4, Equal(4 * p));
                Assert.True(interleaved.Makespan < plain.Makespan, $"p={p} m={m}: {interleaved.Makespan} against {plain.Makespan}");
            }
        }
    }

    [Theory]
    [InlineData(2, 8, 1, 1.0 / 9)]
    [InlineData(4, 8, 1, 3.0 / 11)]
    [InlineData(4, 16, 1, 3.0 / 19)]
    [InlineData(4, 32, 1, 3.0 / 35)]
    [InlineData(4, 8, 2, 3.0 / 19)]
    public void The_bubble_fractions_are_the_published_ones(int p, int m, int v, double expected)
    {
        var kind = v > 1 ? ScheduleKind.Interleaved : ScheduleKind.OneForwardOneBackward;
        Assert.Equal(expected, ScheduleMath.BubbleFraction(kind, p, m, v), 12);
    }

    [Fact]
    public void The_slowest_stage_sets_the_pace()
    {
        PartCost[] costs = [new(1, 2), new(3, 6), new(1, 2)];
        var simulation = ScheduleSimulator.Step(ScheduleKind.OneForwardOneBackward, 3, 20, 1, costs);
        // 20 micro-batches of 9 on the slow stage, plus one forward before and one backward after it.
        Assert.Equal(1 + 20 * 9 + 2, simulation.Makespan, 9);
    }

    [Fact]
    public void A_transfer_costs_time_between_stages_and_none_inside_one()
    {
        var two = ScheduleSimulator.Step(ScheduleKind.GPipe, 2, 1, 1, Equal(2), transfer: 0.5);
        Assert.Equal(6 + 2 * 0.5, two.Makespan, 12);
        var one = ScheduleSimulator.Step(ScheduleKind.Interleaved, 1, 3, 2, Equal(2), transfer: 0.5);
        Assert.Equal(18, one.Makespan, 12);
        Assert.Equal(0, one.Bubble, 12);
    }

    [Fact]
    public void The_norm_waits_for_the_slowest_stage_and_instructions_of_a_stage_do_not_overlap()
    {
        var simulation = ScheduleSimulator.Step(ScheduleKind.OneForwardOneBackward, 4, 6, 1, Equal(4));
        var norms = simulation.Stages.Select(s => s.Single(t => t.Instruction.Kind == ReduceNorm)).ToList();
        Assert.All(norms, n => Assert.Equal(norms.Max(x => x.Start), n.End, 12));
        foreach (var stage in simulation.Stages)
        {
            Assert.All(stage.Zip(stage.Skip(1)), pair => Assert.True(pair.Item1.Start <= pair.Item1.End && pair.Item1.End <= pair.Item2.Start));
        }
    }

    [Fact]
    public void A_deadlock_is_reported_with_every_waiting_stage_its_micro_batch_and_its_peer()
    {
        Instruction[] first = [new(ReceiveGradient, 3, 0), new(Forward, 3, 0), new(SendActivation, 3, 0)];
        Instruction[] second = [new(ReceiveActivation, 3, 0), new(Forward, 3, 0), new(SendGradient, 3, 0)];
        var e = Assert.Throws<ScheduleDeadlockException>(() => ScheduleSimulator.Run([first, second], Equal(2)));
        Assert.Contains("stage 0 (part 0) waits for the gradient of micro-batch 3 from stage 1", e.Message);
        Assert.Contains("stage 1 (part 1) waits for the activation of micro-batch 3 from stage 0", e.Message);
    }

    [Fact]
    public void A_missing_tied_gradient_stops_its_receiver_and_everybody_at_the_norm()
    {
        Instruction[] first = [new(ReceiveTiedGradient), new(ReduceTied), new(ReduceNorm)];
        var e = Assert.Throws<ScheduleDeadlockException>(() => ScheduleSimulator.Run([first, [new(ReduceNorm)]], Equal(2)));
        Assert.Contains("stage 0 waits for the tied gradient from stage 1", e.Message);
        Assert.Contains("stage 1 waits in ReduceNorm for the other stages", e.Message);
    }

    [Fact]
    public void A_transfer_sent_twice_is_an_error()
    {
        Instruction[] first = [new(SendActivation, 0, 0), new(SendActivation, 0, 0)];
        var e = Assert.Throws<InvalidOperationException>(() => ScheduleSimulator.Run([first, []], Equal(2)));
        Assert.Contains("SendActivation(0) twice", e.Message);
    }

    [Fact]
    public void Costs_that_do_not_divide_among_the_stages_are_refused() =>
        Assert.Contains("3 parts on 2 stages", Assert.Throws<ArgumentException>(() => ScheduleSimulator.Run([[], []], Equal(3))).Message);
}
