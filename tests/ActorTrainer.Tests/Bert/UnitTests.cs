using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Bert;

public class UnitTests
{
    [Theory]
    [InlineData(16, 119_589_889)]
    [InlineData(2, 36_971_521)]
    public void The_published_models_have_the_published_parameter_counts(int layers, long expected)
    {
        var config = new BertConfig { Layers = layers };
        Assert.Equal(expected, config.ParameterCount);
        Assert.Equal(expected, StateDictLayout.Of(config).Sum(t => Product(t.Shape)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_real_layer_of_the_published_shape_has_5_901_312_parameters(bool fused)
    {
        using var layer = new EncoderLayerUnit(new BertConfig { FusedQkv = fused }, 0, seed: 1);
        Assert.Equal(5_901_312, layer.Parameters.Sum(p => p.Value.numel()));
    }

    [Fact]
    public void The_published_token_table_has_25_165_824_entries()
    {
        using var table = EmbeddingUnit.InitialTable(new BertConfig(), seed: 1);
        Assert.Equal(25_165_824, table.numel());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Real_units_have_the_names_shapes_and_order_of_the_layout(bool fused)
    {
        var config = Tiny.Config(fused: fused);
        using var model = new BertForMlm(config, seed: 1);
        Assert.Equal(
            StateDictLayout.Of(config).Select(t => $"{t.Name} {string.Join(",", t.Shape)}"),
            model.Parameters.Select(p => $"{p.Name} {string.Join(",", p.Value.shape)}"));
        Assert.Equal(config.ParameterCount, model.Parameters.Sum(p => p.Value.numel()));
        Assert.Equal(UnitFactory.Names(config), model.Units.Select(unit => unit.Name));
        Assert.Equal(Enumerable.Range(0, UnitFactory.Count(config)), model.Units.Select(unit => unit.Index));
    }

    [Fact]
    public void Weight_decay_spares_exactly_norms_and_the_position_scale()
    {
        using var model = new BertForMlm(Tiny.Config(), seed: 1);
        Assert.All(model.Parameters, p => Assert.Equal(!p.Name.Contains("norm") && !p.Name.EndsWith("scale_factor"), p.Decay));
    }

    [Fact]
    public void Initial_weights_do_not_depend_on_which_other_units_are_built_or_when()
    {
        using var model = new BertForMlm(Tiny.Config(), seed: 9);
        foreach (var index in new[] { 3, 1, 0, 2 })
        {
            using var alone = UnitFactory.Create(Tiny.Config(), index, seed: 9);
            foreach (var (one, other) in alone.Parameters.Zip(model.Units[index].Parameters))
            {
                Assert.Equal(one.Name, other.Name);
                Assert.Equal(Tiny.Floats(one.Value), Tiny.Floats(other.Value));
            }
        }

        // The same draw in another element type.
        using var precise = new EncoderLayerUnit(Tiny.Config(), 1, seed: 9, ScalarType.Float64);
        Assert.Equal(Tiny.Floats(precise.Parameters[2].Value), Tiny.Floats(model.Layers[1].Parameters[2].Value));

        // But each its own.
        Assert.NotEqual(Tiny.Floats(model.Layers[0].Parameters[2].Value), Tiny.Floats(model.Layers[1].Parameters[2].Value));
        using var otherSeed = new EncoderLayerUnit(Tiny.Config(), 1, seed: 10);
        Assert.NotEqual(Tiny.Floats(otherSeed.Parameters[2].Value), Tiny.Floats(model.Layers[1].Parameters[2].Value));
    }

    [Fact]
    public void Initial_weights_follow_the_recipe()
    {
        var config = Tiny.Config() with { Vocabulary = 2000, Hidden = 64, Heads = 4, InitStd = 0.02 };
        using var embedding = new EmbeddingUnit(config, seed: 4);
        var table = Tiny.Floats(embedding.Table);
        Assert.All(table.Take(64), value => Assert.Equal(0, value));
        Assert.InRange(Math.Sqrt(table.Skip(64).Average(x => (double)x * x)), 0.0198, 0.0202);
        Assert.InRange(table.Skip(64).Average(), -0.0003, 0.0003);
        Assert.Equal([1f / 8], Tiny.Floats(embedding.Parameters[1].Value));
        Assert.All(Tiny.Floats(embedding.Parameters[2].Value), value => Assert.Equal(1, value));
        Assert.All(Tiny.Floats(embedding.Parameters[3].Value), value => Assert.Equal(0, value));
    }

    [Fact]
    public void The_tied_decoder_sees_updates_of_the_table_but_keeps_its_own_gradient()
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMlm(Tiny.Config(), seed: 1);
        using (no_grad())
        {
            model.Embedding.Table.mul_(2);
        }

        Assert.Equal(Tiny.Floats(model.Embedding.Table), Tiny.Floats(model.Head.Decoder));
        var hidden = Tiny.Normal(5, 2, 6, 8).to(ScalarType.Float32);
        model.Head.Loss(hidden, Tiny.Positions(), Tiny.Labels(), 1).backward();
        Assert.Null(model.Embedding.Table.grad);
        Assert.NotNull(model.Head.Decoder.grad);
        Assert.True(model.Head.Decoder.is_leaf);
    }

    [Fact]
    public void A_decoder_of_its_own_gives_the_same_bits_as_a_tied_one()
    {
        using var scope = NewDisposeScope();
        using var tied = new BertForMlm(Tiny.Config(), seed: 1);
        using var apart = new BertForMlm(Tiny.Config(), seed: 1);
        apart.Head.UntiedCopy(EmbeddingUnit.InitialTable(Tiny.Config(), seed: 1));
        foreach (var model in new[] { tied, apart })
        {
            model.Loss(Tiny.Ids(), Tiny.Positions(), Tiny.Labels(), 1, Tiny.Context).backward();
            model.Loss(Tiny.Ids(), Tiny.Positions(), Tiny.Labels(), 0.3, Tiny.Context).backward();
            model.ReduceTiedGradients();
        }

        Assert.Equal(Tiny.Floats(tied.Embedding.Table.grad!), Tiny.Floats(apart.Embedding.Table.grad!));
        using (no_grad())
        {
            apart.Embedding.Table.mul_(2);
        }

        Assert.Equal(Tiny.Floats(tied.Embedding.Table), Tiny.Floats(apart.Head.Decoder));
    }

    [Fact]
    public void Losses_of_micro_batches_add_up()
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMlm(Tiny.Config(), seed: 1, ScalarType.Float64);
        var whole = model.Loss(Tiny.Ids(), Tiny.Positions(), Tiny.Labels(), 1.0 / 3, Tiny.Context).item<double>();
        var first = model.Loss(Tiny.Ids()[..1], tensor(new long[] { 1, 3 }), Tiny.Labels()[..2], 1.0 / 3, Tiny.Context).item<double>();
        var second = model.Loss(Tiny.Ids()[1..], tensor(new long[] { 2 }), Tiny.Labels()[2..], 1.0 / 3, Tiny.Context).item<double>();
        Assert.Equal(whole, first + second, 1e-12);
    }

    [Fact]
    public void Evaluation_agrees_with_the_loss_and_counts_hits()
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMlm(Tiny.Config(), seed: 1);
        var hidden = model.Encode(Tiny.Ids(), Tiny.Context);
        var best = model.Head.Logits(hidden, Tiny.Positions()).argmax(-1);
        var labels = best.clone();
        labels[1] = (best[1] + 1) % 11;
        var (sum, correct) = model.Head.Evaluate(hidden, Tiny.Positions(), labels);
        Assert.Equal(2, correct);
        Assert.Equal(model.Head.Loss(hidden, Tiny.Positions(), labels, 1).item<float>(), sum, 1e-5);
        Assert.Equal((0.0, 0L), model.Head.Evaluate(hidden, zeros(0, ScalarType.Int64), zeros(0, ScalarType.Int64)));
    }

    [Fact]
    public void Ids_may_be_int32_and_too_long_sequences_are_an_error()
    {
        using var scope = NewDisposeScope();
        using var embedding = new EmbeddingUnit(Tiny.Config(), seed: 1);
        Assert.Equal(
            Tiny.Floats(embedding.Forward(Tiny.Ids(), Tiny.Context)),
            Tiny.Floats(embedding.Forward(Tiny.Ids().to(ScalarType.Int32), Tiny.Context)));
        Assert.Throws<ArgumentException>(() => embedding.Forward(zeros(1, 7, ScalarType.Int64), Tiny.Context));
    }

    [Fact]
    public void Bfloat16_products_stay_close_to_float32()
    {
        using var scope = NewDisposeScope();
        foreach (var attention in Enum.GetValues<AttentionKind>())
        {
            var config = Tiny.Config(attention) with { InitStd = 0.2 };
            using var exact = new BertForMlm(config, seed: 1);
            using var rounded = new BertForMlm(config, seed: 1, bf16: true);
            var (a, b) = (Loss(exact), Loss(rounded));
            Assert.NotEqual(a, b);
            Assert.Equal(a, b, 0.02 * a);
            Assert.All(rounded.Parameters, p => Assert.Equal(ScalarType.Float32, p.Value.grad!.dtype));
            var (g, h) = (Tiny.Doubles(exact.Embedding.Table.grad!), Tiny.Doubles(rounded.Embedding.Table.grad!));
            var error = Math.Sqrt(g.Zip(h, (x, y) => (x - y) * (x - y)).Sum() / g.Sum(x => x * x));
            Assert.InRange(error, 1e-6, 0.05);
        }

        static float Loss(BertForMlm model)
        {
            var loss = model.Loss(Tiny.Ids(), Tiny.Positions(), Tiny.Labels(), 1, Tiny.Context, Tiny.Mask());
            loss.backward();
            model.ReduceTiedGradients();
            return loss.item<float>();
        }
    }

    private static long Product(long[] shape) => shape.Aggregate(1L, (product, size) => product * size);
}
