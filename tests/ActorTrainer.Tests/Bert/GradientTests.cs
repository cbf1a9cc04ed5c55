using ActorTrainer.Model.Bert;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Bert;

/// <summary>Gradients of every block against central finite differences in float64.</summary>
public class GradientTests
{
    private const double Step = 1e-5;

    public static TheoryData<AttentionKind, GateActivation, bool, bool> Layers()
    {
        var data = new TheoryData<AttentionKind, GateActivation, bool, bool>();
        foreach (var attention in Enum.GetValues<AttentionKind>())
        {
            foreach (var activation in Enum.GetValues<GateActivation>())
            {
                foreach (var fused in new[] { true, false })
                {
                    data.Add(attention, activation, fused, false);
                    data.Add(attention, activation, fused, true);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void A_layers_gradients_agree_with_differences(AttentionKind attention, GateActivation activation, bool fused, bool masked)
    {
        using var scope = NewDisposeScope();
        using var layer = new EncoderLayerUnit(Tiny.Config(attention, activation, fused), 1, seed: 3, ScalarType.Float64);
        Perturb(layer);
        var input = Tiny.Normal(5, 2, 6, 8).requires_grad_();
        var weight = Tiny.Normal(6, 2, 6, 8);
        var mask = masked ? Tiny.Mask() : null;
        Check(() => (layer.Forward(input, mask, Tiny.Context) * weight).sum(), [.. Named(layer), ("input", input)]);
    }

    [Fact]
    public void Dropouts_gradients_agree_with_differences()
    {
        using var scope = NewDisposeScope();
        using var layer = new EncoderLayerUnit(Tiny.Config(dropout: 0.3), 0, seed: 3, ScalarType.Float64);
        var input = Tiny.Normal(5, 2, 6, 8).requires_grad_();
        var weight = Tiny.Normal(6, 2, 6, 8);
        Check(() => (layer.Forward(input, null, Tiny.Context) * weight).sum(), [.. Named(layer), ("input", input)]);
    }

    [Fact]
    public void The_embeddings_gradients_agree_with_differences_and_its_padding_row_stays_zero()
    {
        using var scope = NewDisposeScope();
        using var embedding = new EmbeddingUnit(Tiny.Config(), seed: 3, ScalarType.Float64);
        Perturb(embedding);
        var weight = Tiny.Normal(6, 2, 6, 8);
        var ids = Tiny.Ids();

        // The padding row is a constant by definition: its difference quotient is not zero, its gradient is.
        Check(() => (embedding.Forward(ids, Tiny.Context) * weight).sum(), Named(embedding), first: name => name == ParameterNames.WordEmbedding ? 8 : 0);
        Assert.All(Tiny.Doubles(embedding.Table.grad![0]), value => Assert.Equal(0, value));
        Assert.Contains(Tiny.Doubles(embedding.Table.grad![4]), value => value != 0);
    }

    [Fact]
    public void The_heads_gradients_agree_with_differences()
    {
        using var scope = NewDisposeScope();
        using var embedding = new EmbeddingUnit(Tiny.Config(), seed: 3, ScalarType.Float64);
        using var head = new MlmHeadUnit(Tiny.Config(), seed: 3, ScalarType.Float64);
        Perturb(head);
        head.UntiedCopy(embedding.Table);
        var input = Tiny.Normal(5, 2, 6, 8).requires_grad_();
        Check(
            () => head.Loss(input, Tiny.Positions(), Tiny.Labels(), 0.25),
            [.. Named(head), ("decoder", head.Decoder), ("input", input)]);
    }

    [Theory]
    [InlineData(AttentionKind.Softmax)]
    [InlineData(AttentionKind.GaussianKernel)]
    public void The_whole_models_gradients_agree_with_differences_once_tied_gradients_are_added(AttentionKind attention)
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMlm(Tiny.Config(attention), seed: 3, ScalarType.Float64);
        var (ids, mask) = (Tiny.Ids(), Tiny.Mask());
        Check(
            () => model.Loss(ids, Tiny.Positions(), Tiny.Labels(), 1.0 / 3, Tiny.Context, mask),
            [.. model.Units.SelectMany(Named)],
            model.ReduceTiedGradients,
            name => name == ParameterNames.WordEmbedding ? 8 : 0);
    }

    private static (string, Tensor)[] Named(ModelUnit unit) => [.. unit.Parameters.Select(p => (p.Name, p.Value))];

    /// <summary>Moves norms off 1 and 0, where mistakes could cancel.</summary>
    private static void Perturb(ModelUnit unit)
    {
        using var noGrad = no_grad();
        ulong seed = 100;
        foreach (var parameter in unit.Parameters.Where(p => !p.Decay))
        {
            parameter.Value.add_(Tiny.Normal(seed++, parameter.Value.shape) * 0.2);
        }
    }

    /// <summary>Compares up to 17 coordinates of each tensor, spread over it and starting at <paramref name="first"/>.</summary>
    private static void Check(Func<Tensor> loss, (string Name, Tensor Value)[] tensors, Action? afterBackward = null, Func<string, int>? first = null)
    {
        loss().backward();
        afterBackward?.Invoke();
        foreach (var (name, value) in tensors)
        {
            var gradient = Tiny.Doubles(value.grad ?? throw new InvalidOperationException($"{name} has no gradient."));
            var start = first?.Invoke(name) ?? 0;
            var stride = Math.Max(1, (gradient.Length - start) / 17 | 1);
            for (var i = start; i < gradient.Length; i += stride)
            {
                var expected = (Moved(i, Step) - Moved(i, -Step)) / (2 * Step);
                Assert.True(
                    Math.Abs(expected - gradient[i]) <= 2e-6 * Math.Max(1e-2, Math.Abs(expected)),
                    $"{name}[{i}]: gradient {gradient[i]}, difference quotient {expected}");
            }

            double Moved(int index, double by)
            {
                using var scope = NewDisposeScope();
                using var noGrad = no_grad();
                var memory = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(value.bytes);
                var old = memory[index];
                memory[index] = old + by;
                try
                {
                    return loss().item<double>();
                }
                finally
                {
                    memory[index] = old;
                }
            }
        }
    }
}
