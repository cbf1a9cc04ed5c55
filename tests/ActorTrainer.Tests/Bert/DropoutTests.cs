using ActorTrainer.Model.Bert;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Bert;

public class DropoutTests
{
    [Fact]
    public void A_mask_depends_on_its_keys_alone()
    {
        using var scope = NewDisposeScope();
        using var layer = new EncoderLayerUnit(Tiny.Config(dropout: 0.4), 0, seed: 1);
        var input = Tiny.Normal(5, 2, 6, 8).to(ScalarType.Float32);
        var first = Run(Tiny.Context);
        Assert.Equal(first, Run(Tiny.Context));
        Assert.NotEqual(first, Run(Tiny.Context with { Step = 2 }));
        Assert.NotEqual(first, Run(Tiny.Context with { MicroBatch = 1 }));
        Assert.NotEqual(first, Run(Tiny.Context with { Seed = 2 }));

        float[] Run(ForwardContext context) => Tiny.Floats(layer.Forward(input, null, context));
    }

    [Fact]
    public void Outside_training_nothing_is_dropped()
    {
        using var scope = NewDisposeScope();
        using var with = new BertForMlm(Tiny.Config(dropout: 0.4), seed: 1);
        using var without = new BertForMlm(Tiny.Config(), seed: 1);
        var context = Tiny.Context with { Training = false };
        Assert.Equal(Tiny.Floats(without.Encode(Tiny.Ids(), context)), Tiny.Floats(with.Encode(Tiny.Ids(), context)));
    }

    [Fact]
    public void The_share_of_dropped_values_is_the_probability_and_the_others_are_scaled_up()
    {
        using var scope = NewDisposeScope();
        using var embedding = new EmbeddingUnit(Tiny.Config(dropout: 0.25) with { Hidden = 512, Sequence = 64 }, seed: 1);
        var ids = ones(4, 64, ScalarType.Int64);
        var kept = Tiny.Floats(embedding.Forward(ids, Tiny.Context with { Training = false }));
        var dropped = Tiny.Floats(embedding.Forward(ids, Tiny.Context));
        Assert.InRange(dropped.Count(x => x == 0) / (double)dropped.Length, 0.245, 0.255);
        Assert.All(kept.Zip(dropped).Where(pair => pair.Item2 != 0), pair => Assert.Equal(pair.Item1 / 0.75f, pair.Item2, 1e-5f));
    }
}
