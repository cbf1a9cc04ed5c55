using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Bert;

public class PositionAndKeyStartTests
{
    [Theory]
    [InlineData(0, 0.35355339f)]
    [InlineData(0.25, 0.25f)]
    [InlineData(3, 3f)]
    public void The_position_scale_starts_as_configured_and_zero_means_one_over_the_root_of_hidden(double configured, float expected)
    {
        using var scope = NewDisposeScope();
        var config = Tiny.Config() with { PositionScale = configured };
        using var embedding = new EmbeddingUnit(config, seed: 1);
        Assert.Equal([expected], Tiny.Floats(Scale(embedding.Parameters)));

        // And it is what positions are multiplied by: setting the scalar of another unit gives the same output.
        using var other = new EmbeddingUnit(Tiny.Config() with { PositionScale = 9 }, seed: 1);
        Assert.NotEqual(Tiny.Floats(embedding.Forward(Tiny.Ids(), Tiny.Context)), Tiny.Floats(other.Forward(Tiny.Ids(), Tiny.Context)));
        using (no_grad())
        {
            Scale(other.Parameters).fill_(expected);
        }

        Assert.Equal(Tiny.Floats(embedding.Forward(Tiny.Ids(), Tiny.Context)), Tiny.Floats(other.Forward(Tiny.Ids(), Tiny.Context)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_position_scale_that_is_not_learned_keeps_its_bits_while_all_else_trains(bool learned)
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMlm(Tiny.Config() with { LearnPositionScale = learned, PositionScale = 0.3 }, seed: 1);
        using var optimiser = new AdamW([.. model.Parameters], new AdamWOptions { WeightDecay = 0.1 });
        var before = model.Parameters.ToDictionary(p => p.Name, p => Tiny.Floats(p.Value));
        for (var step = 0; step < 3; step++)
        {
            Backward(model);
            Assert.Equal(learned, Scale(model.Parameters).grad is not null);
            optimiser.Step(1e-2);
            optimiser.ZeroGrad();
        }

        Assert.All(
            model.Parameters,
            p => Assert.Equal(learned || p.Name != ParameterNames.PositionScale, !before[p.Name].SequenceEqual(Tiny.Floats(p.Value))));
    }

    [Fact]
    public void Not_learning_the_position_scale_changes_no_name_no_count_and_no_other_gradient()
    {
        using var scope = NewDisposeScope();
        var learned = Tiny.Config();
        var kept = learned with { LearnPositionScale = false };
        using var one = new BertForMlm(learned, seed: 1);
        using var other = new BertForMlm(kept, seed: 1);
        Assert.Equal(learned.ParameterCount, kept.ParameterCount);
        Assert.Equal(kept.ParameterCount, other.Parameters.Sum(p => p.Value.numel()));
        Assert.Equal(StateDictLayout.Of(kept).Select(t => t.Name), other.Parameters.Select(p => p.Name));
        Assert.Equal(one.Parameters.Select(p => (p.Name, p.Decay)), other.Parameters.Select(p => (p.Name, p.Decay)));
        Backward(one);
        Backward(other);
        foreach (var (a, b) in one.Parameters.Zip(other.Parameters).Where(pair => pair.Item1.Name != ParameterNames.PositionScale))
        {
            Assert.Equal(Tiny.Floats(a.Value), Tiny.Floats(b.Value));
            Assert.Equal(Tiny.Floats(a.Value.grad!), Tiny.Floats(b.Value.grad!));
        }
    }

    [Fact]
    public void Keys_that_start_as_queries_have_their_values_in_memory_of_their_own_and_nothing_else_differs()
    {
        var config = Tiny.Config(AttentionKind.GaussianKernel, fused: false) with { KeyStartsAsQuery = true };
        using var model = new BertForMlm(config.Validate(), seed: 1);
        using var usual = new BertForMlm(config with { KeyStartsAsQuery = false }, seed: 1);
        Assert.Equal(usual.Parameters.Select(p => p.Name), model.Parameters.Select(p => p.Name));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var (query, key) = (Projection(model, layer, ParameterNames.QueryProjection), Projection(model, layer, ParameterNames.KeyProjection));
            Assert.Equal(Tiny.Floats(query), Tiny.Floats(key));
            Assert.NotEqual(
                Tiny.Floats(Projection(usual, layer, ParameterNames.QueryProjection)), Tiny.Floats(Projection(usual, layer, ParameterNames.KeyProjection)));
            var start = Tiny.Floats(query);
            using (no_grad())
            {
                key.add_(1);
            }

            Assert.Equal(start, Tiny.Floats(query));
        }

        Assert.All(
            usual.Parameters.Zip(model.Parameters).Where(pair => !pair.Item1.Name.EndsWith(ParameterNames.KeyProjection, StringComparison.Ordinal)),
            pair => Assert.Equal(Tiny.Floats(pair.Item1.Value), Tiny.Floats(pair.Item2.Value)));
        Assert.NotEqual(
            Tiny.Floats(Projection(model, 0, ParameterNames.QueryProjection)), Tiny.Floats(Projection(model, 1, ParameterNames.QueryProjection)));
    }

    [Theory]
    [InlineData(AttentionKind.Softmax, false)]
    [InlineData(AttentionKind.GaussianKernel, true)]
    [InlineData(AttentionKind.Softmax, true)]
    public void Keys_that_start_as_queries_are_refused_with_softmax_and_with_a_fused_matrix(AttentionKind attention, bool fused)
    {
        var config = Tiny.Config(attention, fused: fused);
        config.Validate();
        var message = Assert.Throws<RefusedException>(() => (config with { KeyStartsAsQuery = true }).Validate()).Message;
        Assert.Contains("arch.key_starts_as_query=true", message);
        Assert.Contains("arch.attention=gaussian-kernel", message);
        Assert.Contains("arch.fused_qkv=false", message);
    }

    private static Tensor Scale(IEnumerable<NamedParameter> parameters) => parameters.Single(p => p.Name == ParameterNames.PositionScale).Value;

    private static Tensor Projection(BertForMlm model, int layer, string name) =>
        model.Parameters.Single(p => p.Name == ParameterNames.Layer(layer, name)).Value;

    private static void Backward(BertForMlm model)
    {
        model.Loss(Tiny.Ids(), Tiny.Positions(), Tiny.Labels(), 1, Tiny.Context).backward();
        model.ReduceTiedGradients();
    }
}
