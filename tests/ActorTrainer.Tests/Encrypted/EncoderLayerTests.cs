using ActorTrainer.He.Approximation;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Ranges;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>The layer as it is computed under encryption, on the cleartext twin, against autograd of the same polynomial model in float64.</summary>
public sealed class EncoderLayerTests
{
    private const double Agreement = 1e-6;

    [Theory]
    [InlineData(2, 8, 8, 2, true)]
    [InlineData(3, 4, 16, 1, true)]
    [InlineData(2, 8, 4, 4, false)]
    public void The_twin_gives_the_outputs_and_gradients_of_autograd(int heads, int width, int tokens, int batch, bool masked)
    {
        using var scope = NewDisposeScope();
        var arch = new BertConfig
        {
            Layers = 1, Hidden = heads * width, Heads = heads, FeedForward = 6 * heads * width, Sequence = tokens, Attention = AttentionKind.GaussianKernel,
            Activation = GateActivation.Relu, FusedQkv = false, InitStd = 0.15,
        };
        var lora = new LoraShape { Rank = 2, Alpha = 3 };
        var unit = new EncoderLayerUnit(arch, 0, seed: 5, ScalarType.Float64, lora: lora);
        Disturb(unit);
        var calibration = Calibrated();
        var real = masked ? Lengths(batch, tokens) : ones(batch, tokens);
        var x = Made(1, batch, tokens, arch.Hidden).requires_grad_(true);
        var direction = Made(2, batch, tokens, arch.Hidden);
        var functions = new PolynomialFunctions(calibration);
        var expected = unit.Forward(x, real, new ForwardContext(1, 2, 3, Training: true, null, functions));
        (expected * direction).sum().backward();
        Assert.All(functions.Outside.Values, seen => Assert.Equal(0, seen.Outside));

        var twin = new TwinBackend(new CkksParameters(ParameterSets.ToyL15));
        var math = new TensorMath(new Evaluator(twin), new ClearRefresher(twin), new Packing(1024, tokens, batch, heads, width));
        var packing = math.Packing;
        var adapters = Adapters(twin, packing, unit, lora);
        var layer = new EncoderLayer(packing, new TokenShifts(packing), Weights(unit, arch, calibration), lora.Scale, "layers.0");
        var mask = OwnerMask(twin, packing, real);

        var (output, tape) = layer.Forward(math, Encrypt(twin, packing.Hidden, x), adapters, mask);
        var (gradients, input) = layer.Backward(math, tape, Encrypt(twin, packing.Hidden, direction), adapters, wantsInput: true);

        Close(expected, Numbers(output), "output");
        Close(x.grad!, Numbers(input!), "input");
        foreach (var (projection, i) in new[] { "query", "key", "value" }.Select((name, i) => (name, i)))
        {
            for (var r = 0; r < lora.Rank; r++)
            {
                Close(Named(unit, projection, "lora_A").grad![r], Total(gradients[i][r]), $"{projection} A {r}");
                Close(Named(unit, projection, "lora_B").grad!.transpose(0, 1)[r], Total(gradients[i][lora.Rank + r]), $"{projection} B {r}");
            }
        }
    }

    private static Calibration Calibrated()
    {
        var statistics = new RangeStatistics { Count = 1, Min = 0, Max = 1, Sum = 0, SumOfSquares = 0 };
        return new Calibration
        {
            Sites =
            [
                new("layers.0", "norm1", PointFunction.NormInverseRoot, statistics, FunctionFits.InverseRoot(0.1, 8, 31, 1)),
                new("layers.0", "attention", PointFunction.KernelExp, statistics, FunctionFits.PowerExp(6)),
                new("layers.0", "norm2", PointFunction.NormInverseRoot, statistics, FunctionFits.InverseRoot(0.1, 8, 15, 2)),
                new("layers.0", "gate", PointFunction.Relu, statistics, FunctionFits.Relu(8)),
            ],
        };
    }

    private static EncoderWeights Weights(EncoderLayerUnit unit, BertConfig arch, Calibration calibration)
    {
        double[] Of(string name) => unit.Frozen.Single(p => p.Name.EndsWith(name, StringComparison.Ordinal)).Value.to(ScalarType.Float64).contiguous().data<double>().ToArray();
        FunctionFit Fit(string place) => calibration.Sites.Single(site => site.Place == place).Fit;
        return new EncoderWeights
        {
            Hidden = arch.Hidden,
            Inner = arch.FeedForward / 2,
            Norm1Weight = Of("norm1.weight"),
            Norm1Bias = Of("norm1.bias"),
            Norm2Weight = Of("norm2.weight"),
            Norm2Bias = Of("norm2.bias"),
            Projections = [Of("query.weight"), Of("key.weight"), Of("value.weight")],
            Dense = Of("attn.dense.weight"),
            DenseIn = Of("dense_in.weight"),
            DenseOut = Of("dense_out.weight"),
            Epsilon = arch.LayerNormEps,
            Norm1 = Fit("norm1"),
            Exp = Fit("attention"),
            Norm2 = Fit("norm2"),
            Relu = Fit("gate"),
        };
    }

    private static Tensor Named(EncoderLayerUnit unit, string projection, string matrix) =>
        unit.Parameters.Single(p => p.Name.Contains($".{projection}.", StringComparison.Ordinal) && p.Name.EndsWith(matrix, StringComparison.Ordinal)).Value;

    private static LowRank[] Adapters(TwinBackend twin, Packing packing, EncoderLayerUnit unit, LoraShape lora) => [.. new[] { "query", "key", "value" }.Select(projection =>
    {
        var (a, b) = (Named(unit, projection, "lora_A").detach().data<double>().ToArray(), Named(unit, projection, "lora_B").detach().data<double>().ToArray());
        var hidden = packing.Hidden.Features;
        return new LowRank(
            [.. Enumerable.Range(0, lora.Rank).Select(r => Encrypt(twin, packing.Hidden, (_, _, f) => a[(r * hidden) + f]))],
            [.. Enumerable.Range(0, lora.Rank).Select(r => Encrypt(twin, packing.Hidden, (_, _, f) => b[(f * lora.Rank) + r]))], projection);
    })];

    /// <summary>As the owner makes it: for each group of shifts, whether the shift that a place stands for leads to a real token.</summary>
    private static Ciphertext[] OwnerMask(TwinBackend twin, Packing packing, Tensor real)
    {
        var ones = real.to(ScalarType.Float64).contiguous().data<double>().ToArray();
        return [.. Enumerable.Range(0, SlotMaps.ShiftGroups(packing)).Select(g => twin.Encrypt(new PlainVector(Enumerable.Range(0, packing.Slots).Select(slot =>
        {
            var shift = SlotMaps.ShiftAt(packing, slot / packing.FeatureStride, g);
            var (t, b) = (slot % packing.PlaceStride / packing.Batch, slot % packing.Batch);
            return shift < 0 ? 0 : ones[(b * packing.Tokens) + ((t + shift) % packing.Tokens)];
        })), twin.Parameters.MaxLevel))];
    }

    private static Activation Encrypt(TwinBackend twin, FeatureLayout layout, Tensor x)
    {
        var values = x.detach().contiguous().data<double>().ToArray();
        return Encrypt(twin, layout, (b, t, f) => values[(((b * layout.Packing.Tokens) + t) * layout.Features) + f]);
    }

    private static Activation Encrypt(TwinBackend twin, FeatureLayout layout, Func<int, int, int, double> value) =>
        new(layout, [.. layout.Pack(value).Select(slots => twin.Encrypt(new PlainVector(slots), twin.Parameters.MaxLevel))]);

    private static double[,,] Unpacked(Activation a) => a.Layout.Unpack([.. a.Parts.Select(part => TwinBackend.Values(part).Select(v => v.Real).ToArray())]);

    private static double[] Numbers(Activation a) => [.. Unpacked(a).Cast<double>()];

    private static double[] Total(Activation terms)
    {
        var values = Unpacked(terms);
        return [.. Enumerable.Range(0, values.GetLength(2)).Select(f => Enumerable.Range(0, values.GetLength(0)).Sum(b => Enumerable.Range(0, values.GetLength(1)).Sum(t => values[b, t, f])))];
    }

    private static void Close(Tensor expected, double[] found, string what)
    {
        var values = expected.detach().contiguous().data<double>().ToArray();
        Assert.Equal(values.Length, found.Length);
        var (error, size) = (Math.Sqrt(values.Zip(found, (a, b) => (a - b) * (a - b)).Sum()), Math.Sqrt(values.Sum(v => v * v)));
        Assert.True(size > 0 && error <= Agreement * size, $"{what}: relative error {error / size:E2}.");
    }

    private static Tensor Made(int seed, params long[] shape) => from_array(Normal(new Random(seed), (int)shape.Aggregate((a, b) => a * b))).reshape(shape);

    private static double[] Normal(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];

    private static Tensor Lengths(int batch, int tokens) => from_array(Enumerable.Range(0, batch * tokens).Select(i => i % tokens < tokens - 1 - (i / tokens) ? 1L : 0).ToArray()).reshape(batch, tokens);

    /// <summary>Norms off one and zero, adapters that are not zero.</summary>
    private static void Disturb(EncoderLayerUnit unit)
    {
        using var noGrad = no_grad();
        var seed = 50;
        foreach (var tensor in unit.Parameters.Concat(unit.Frozen).Where(t => !t.Decay || t.Name.EndsWith("lora_B", StringComparison.Ordinal)))
        {
            tensor.Value.detach().add_(Made(seed++, tensor.Value.shape) * 0.2);
        }
    }
}
