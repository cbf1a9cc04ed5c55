using ActorTrainer.Model.Bert;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Bert;

public class ForwardTests
{
    public static TheoryData<AttentionKind, GateActivation> Kinds()
    {
        var data = new TheoryData<AttentionKind, GateActivation>();
        foreach (var attention in Enum.GetValues<AttentionKind>())
        {
            data.Add(attention, GateActivation.Gelu);
            data.Add(attention, GateActivation.Relu);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_layer_agrees_with_plain_loops(AttentionKind attention, GateActivation activation)
    {
        using var scope = NewDisposeScope();
        var config = Tiny.Config(attention, activation, fused: false) with { Hidden = 12, Heads = 2, InitStd = 0.3 };
        using var layer = new EncoderLayerUnit(config, 0, seed: 2, ScalarType.Float64);
        var input = Tiny.Normal(8, 2, 6, 12);
        var actual = Tiny.Doubles(layer.Forward(input, Tiny.Mask(), Tiny.Context));
        var weights = layer.Parameters.ToDictionary(p => p.Name[ParameterNames.Layer(0, "").Length..], p => Tiny.Doubles(p.Value));
        for (var row = 0; row < 2; row++)
        {
            var mask = Tiny.Doubles(Tiny.Mask()[row]).Select(x => x != 0).ToArray();
            var expected = SlowLayer.Forward(config, [.. Enumerable.Range(0, 6).Select(i => Tiny.Doubles(input[row, i]))], mask, name => weights[name]);
            Assert.All(expected.SelectMany(x => x).Zip(actual.Skip(row * 72)), pair => Assert.Equal(pair.Item1, pair.Item2, 1e-10));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Fused_and_separate_projections_agree_after_conversion(AttentionKind attention, GateActivation activation)
    {
        using var scope = NewDisposeScope();
        using var separate = new EncoderLayerUnit(Tiny.Config(attention, activation, fused: false), 0, seed: 2, ScalarType.Float64);
        using var fused = new EncoderLayerUnit(Tiny.Config(attention, activation), 0, seed: 3, ScalarType.Float64);
        using (no_grad())
        {
            var from = separate.Parameters.ToDictionary(p => p.Name, p => p.Value);
            foreach (var parameter in fused.Parameters)
            {
                parameter.Value.copy_(parameter.Name == ParameterNames.Layer(0, ParameterNames.FusedProjection)
                    ? QkvLayout.Fuse(
                        from[ParameterNames.Layer(0, ParameterNames.QueryProjection)],
                        from[ParameterNames.Layer(0, ParameterNames.KeyProjection)],
                        from[ParameterNames.Layer(0, ParameterNames.ValueProjection)],
                        heads: 2)
                    : from[parameter.Name]);
            }
        }

        var input = Tiny.Normal(8, 2, 6, 8);
        var (a, b) = (separate.Forward(input, Tiny.Mask(), Tiny.Context), fused.Forward(input, Tiny.Mask(), Tiny.Context));
        Assert.All(Tiny.Doubles(a).Zip(Tiny.Doubles(b)), pair => Assert.Equal(pair.Item1, pair.Item2, 1e-12));
    }

    [Fact]
    public void Fusing_interleaves_rows_per_head_and_splitting_undoes_it()
    {
        using var scope = NewDisposeScope();
        var (q, k, v) = (Rows(0), Rows(100), Rows(200));
        var fused = QkvLayout.Fuse(q, k, v, heads: 2);
        Assert.Equal([0, 1, 100, 101, 200, 201, 2, 3, 102, 103, 202, 203], Tiny.Doubles(fused.select(1, 0)));
        var (q2, k2, v2) = QkvLayout.Split(fused, heads: 2);
        Assert.Equal(Tiny.Doubles(q), Tiny.Doubles(q2));
        Assert.Equal(Tiny.Doubles(k), Tiny.Doubles(k2));
        Assert.Equal(Tiny.Doubles(v), Tiny.Doubles(v2));

        static Tensor Rows(int first) => arange(first, first + 4, ScalarType.Float64).unsqueeze(1).expand(4, 4);
    }

    [Theory]
    [InlineData(AttentionKind.Softmax)]
    [InlineData(AttentionKind.GaussianKernel)]
    public void What_stands_at_padding_does_not_reach_tokens(AttentionKind attention)
    {
        using var scope = NewDisposeScope();
        using var layer = new EncoderLayerUnit(Tiny.Config(attention), 0, seed: 2);
        var input = Tiny.Normal(8, 2, 6, 8).to(ScalarType.Float32);
        var changed = input.clone();
        changed[1, 5] = 3 * ones(8);
        var (a, b) = (Tiny.Floats(layer.Forward(input, Tiny.Mask(), Tiny.Context)), Tiny.Floats(layer.Forward(changed, Tiny.Mask(), Tiny.Context)));
        Assert.Equal(a.Take(80), b.Take(80));
        Assert.NotEqual(a.Skip(88), b.Skip(88));
        Assert.NotEqual(a.Take(80), Tiny.Floats(layer.Forward(changed, null, Tiny.Context)).Take(80));
    }

    [Fact]
    public void Embeddings_are_normed_tokens_plus_scaled_sines_and_cosines()
    {
        using var scope = NewDisposeScope();
        var config = Tiny.Config();
        using var embedding = new EmbeddingUnit(config, seed: 2, ScalarType.Float64);
        var actual = Tiny.Doubles(embedding.Forward(Tiny.Ids(), Tiny.Context));
        var (table, ids) = (Tiny.Doubles(embedding.Table), Tiny.Doubles(Tiny.Ids()));
        for (var i = 0; i < 12; i++)
        {
            var position = i % 6;
            var row = Enumerable.Range(0, 8).Select(c =>
            {
                var angle = position / Math.Pow(10_000, (c - c % 2) / 8.0);
                return table[(int)ids[i] * 8 + c] + (float)(1 / Math.Sqrt(8)) * (c % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle));
            }).ToArray();
            var mean = row.Average();
            var deviation = Math.Sqrt(row.Average(x => (x - mean) * (x - mean)) + 1e-12);
            Assert.All(row.Zip(actual.Skip(i * 8)), pair => Assert.Equal((pair.Item1 - mean) / deviation, pair.Item2, 1e-6));
        }
    }

    [Fact]
    public void The_loss_is_the_sum_of_negative_log_probabilities()
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMlm(Tiny.Config(), seed: 2, ScalarType.Float64);
        var hidden = Tiny.Normal(8, 2, 6, 8);
        var loss = model.Head.Loss(hidden, Tiny.Positions(), Tiny.Labels(), 0.5).item<double>();
        var (table, expected) = (Tiny.Doubles(model.Embedding.Table), 0.0);
        foreach (var (position, label) in new[] { (1, 6), (3, 9), (8, 1) })
        {
            var x = Tiny.Doubles(hidden[position / 6, position % 6]);
            var mean = x.Average();
            var deviation = Math.Sqrt(x.Average(t => (t - mean) * (t - mean)));
            var scores = Enumerable.Range(0, 11).Select(t => x.Select((value, c) => (value - mean) / deviation * table[t * 8 + c]).Sum()).ToArray();
            expected += 0.5 * (Math.Log(scores.Sum(Math.Exp)) - scores[label]);
        }

        Assert.Equal(expected, loss, 1e-9);
    }
}
