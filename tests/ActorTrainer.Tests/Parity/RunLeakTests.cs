using ActorTrainer.Bench;
using ActorTrainer.Model.Bert;
using TorchSharp;
using Xunit;

namespace ActorTrainer.Tests.Parity;

/// <summary>Counts the live tensors of the whole process, so nothing may run beside it.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public class Alone;

[Collection("alone")]
public class RunLeakTests
{
    private const int Steps = 300;
    private const int WarmUp = 20;

    [Theory]
    [InlineData(new[] { 6 })]
    [InlineData(new[] { 3, 3 })]
    public async Task Three_hundred_steps_leave_no_tensors_behind(int[] cut)
    {
        // Tensors that earlier tests left to the finaliser must not count.
        GC.Collect();
        GC.WaitForPendingFinalizers();

        var live = new List<long>();
        var work = Workload.Of(ParityModel.Of(AttentionKind.Softmax), microBatch: 2, batch: 5, Steps);
        await new PipelineRun { Work = work, Cut = cut }.Execute(new RunProbe { Step = _ => live.Add(torch.Tensor.TotalCount) });

        Assert.Equal(Steps, live.Count);

        // Fewer are all right: the finaliser may still find some of what was there before.
        Assert.All(live.Skip(WarmUp), count => Assert.InRange(count, 1, live[WarmUp]));
    }
}
