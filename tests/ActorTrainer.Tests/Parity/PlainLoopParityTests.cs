using ActorTrainer.Actors.Schedules;
using ActorTrainer.Bench;
using ActorTrainer.Model.Bert;
using Xunit;

namespace ActorTrainer.Tests.Parity;

public class PlainLoopParityTests
{
    private const int Steps = 24;

    [Theory]
    [InlineData(AttentionKind.Softmax, 8, new[] { 6 }, ScheduleKind.OneForwardOneBackward, 1)]
    [InlineData(AttentionKind.GaussianKernel, 10, new[] { 6 }, ScheduleKind.OneForwardOneBackward, 1)]
    [InlineData(AttentionKind.Softmax, 10, new[] { 3, 3 }, ScheduleKind.OneForwardOneBackward, 1)]
    [InlineData(AttentionKind.GaussianKernel, 11, new[] { 1, 5 }, ScheduleKind.GPipe, 1)]
    [InlineData(AttentionKind.Softmax, 11, new[] { 1, 2, 2, 1 }, ScheduleKind.Interleaved, 2)]
    public async Task A_pipeline_has_the_losses_and_weights_of_the_plain_loop_bit_for_bit_after_every_step(
        AttentionKind attention, int batch, int[] cut, ScheduleKind schedule, int chunks)
    {
        var work = Work(attention, batch);
        var (plainLosses, plainWeights) = Plain(work);

        var losses = new List<double>();
        var weights = new List<Dictionary<string, string>>();
        await new PipelineRun { Work = work, Cut = cut, Schedule = schedule, Chunks = chunks, DigestEvery = 1 }.Execute(new RunProbe
        {
            Step = step => losses.Add(step.Loss),
            Digest = (_, layers) => weights.Add(layers.ToDictionary(layer => layer.Layer, layer => layer.Weights)),
        });

        Assert.Equal(plainLosses, losses);
        Assert.Equal(Steps, weights.Count);
        for (var step = 0; step < Steps; step++)
        {
            foreach (var unit in UnitFactory.Names(work.Arch))
            {
                Assert.True(plainWeights[step][unit] == weights[step][unit], $"{unit} differs after step {step + 1}");
            }
        }
    }

    [Fact]
    public void The_plain_loop_learns()
    {
        var (losses, weights) = Plain(Work(AttentionKind.Softmax, 10));
        Assert.True(losses[^1] < losses[0] - 0.3, $"from {losses[0]} to {losses[^1]}");
        Assert.All(weights[0], unit => Assert.NotEqual(unit.Value, weights[^1][unit.Key]));
    }

    /// <summary>Batches of 10 and 11 in micro-batches of 4 end with one of 2 or 3.</summary>
    private static Workload Work(AttentionKind attention, int batch)
    {
        var work = Workload.Of(ParityModel.Of(attention), microBatch: 4, batch, Steps);
        return work with { Train = work.Train with { Optim = work.Train.Optim with { LearningRate = 1e-2 } } };
    }

    private static (List<double> Losses, List<IReadOnlyDictionary<string, string>> Weights) Plain(Workload work)
    {
        using var loop = new PlainLoop(work, threads: 1);
        var losses = new List<double>();
        var weights = new List<IReadOnlyDictionary<string, string>>();
        for (var step = 0; step < Steps; step++)
        {
            losses.Add(loop.Step());
            weights.Add(loop.WeightDigests());
        }

        return (losses, weights);
    }
}
