using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Stages;
using TorchSharp;
using Xunit;

namespace ActorTrainer.Tests.Stages;

public class UnitCostsTests
{
    public static TheoryData<FineTuneShape?> Shapes => [null, new FineTuneShape { Outputs = 3 }, new FineTuneShape { Outputs = 1, Lora = new LoraShape() }];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_unit_of_pre_training_and_fine_tuning_takes_time(FineTuneShape? shape)
    {
        var config = new BertConfig { Layers = 2, Hidden = 16, Heads = 2, FeedForward = 32, Vocabulary = 50, Sequence = 16, FusedQkv = false };

        var seconds = UnitCosts.Measure(config, rows: 2, targetsPerRow: 4, threads: 1, torch.CPU, bf16: false, shape);

        Assert.Equal(4, seconds.Count);
        Assert.All(seconds, s => Assert.InRange(s, 1e-9, 60));
        Assert.Equal(seconds[1], seconds[2]);
    }
}
