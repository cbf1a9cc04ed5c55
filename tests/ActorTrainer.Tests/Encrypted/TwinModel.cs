using ActorTrainer.He.Approximation;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Ranges;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>From tensors of the plaintext model to the twin and back.</summary>
internal static class TwinModel
{
    private const double Agreement = 1e-6;

    public static BertConfig Arch(int heads, int width, int tokens) => new()
    {
        Layers = 1,
        Hidden = heads * width,
        Heads = heads,
        FeedForward = 6 * heads * width,
        Sequence = tokens,
        Attention = AttentionKind.GaussianKernel,
        Activation = GateActivation.Relu,
        FusedQkv = false,
        InitStd = 0.15,
    };

    public static double[] Doubles(Tensor tensor) => tensor.detach().to(ScalarType.Float64).contiguous().data<double>().ToArray();

    public static EncoderWeights Weights(EncoderLayerUnit unit, BertConfig arch, Calibration calibration)
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

    public static Tensor Named(ModelUnit unit, string projection, string matrix) =>
        unit.Parameters.Single(p => p.Name.Contains($".{projection}.", StringComparison.Ordinal) && p.Name.EndsWith(matrix, StringComparison.Ordinal)).Value;

    public static LowRank[] Adapters(TwinBackend twin, Packing packing, EncoderLayerUnit unit, LoraShape lora) => [.. new[] { "query", "key", "value" }.Select(projection =>
    {
        var (a, b) = (Named(unit, projection, "lora_A").detach().data<double>().ToArray(), Named(unit, projection, "lora_B").detach().data<double>().ToArray());
        var hidden = packing.Hidden.Features;
        return new LowRank(
            [.. Enumerable.Range(0, lora.Rank).Select(r => Encrypt(twin, packing.Hidden, (_, _, f) => a[(r * hidden) + f]))],
            [.. Enumerable.Range(0, lora.Rank).Select(r => Encrypt(twin, packing.Hidden, (_, _, f) => b[(f * lora.Rank) + r]))], projection);
    })];

    /// <summary>As the owner makes it: for each group of shifts, whether the shift that a place stands for leads to a real token.</summary>
    public static double[][] MaskSlots(Packing packing, double[] real) => [.. Enumerable.Range(0, SlotMaps.ShiftGroups(packing)).Select(g => Enumerable.Range(0, packing.Slots).Select(slot =>
    {
        var shift = SlotMaps.ShiftAt(packing, slot / packing.FeatureStride, g);
        var (t, b) = (slot % packing.PlaceStride / packing.Batch, slot % packing.Batch);
        return shift < 0 ? 0 : real[(b * packing.Tokens) + ((t + shift) % packing.Tokens)];
    }).ToArray())];

    public static Ciphertext[] OwnerMask(TwinBackend twin, Packing packing, Tensor real) =>
        [.. MaskSlots(packing, Doubles(real)).Select(slots => twin.Encrypt(new PlainVector(slots), twin.Parameters.MaxLevel))];

    public static Activation Encrypt(TwinBackend twin, FeatureLayout layout, Tensor x)
    {
        var values = x.detach().contiguous().data<double>().ToArray();
        return Encrypt(twin, layout, (b, t, f) => values[(((b * layout.Packing.Tokens) + t) * layout.Features) + f]);
    }

    public static Activation Encrypt(TwinBackend twin, FeatureLayout layout, Func<int, int, int, double> value) =>
        new(layout, [.. layout.Pack(value).Select(slots => twin.Encrypt(new PlainVector(slots), twin.Parameters.MaxLevel))]);

    private static double[,,] Unpacked(Activation a) => a.Layout.Unpack([.. a.Parts.Select(part => TwinBackend.Values(part).Select(v => v.Real).ToArray())]);

    public static double[] Numbers(Activation a) => [.. Unpacked(a).Cast<double>()];

    public static double[] Total(Activation terms)
    {
        var values = Unpacked(terms);
        return [.. Enumerable.Range(0, values.GetLength(2)).Select(f => Enumerable.Range(0, values.GetLength(0)).Sum(b => Enumerable.Range(0, values.GetLength(1)).Sum(t => values[b, t, f])))];
    }

    public static void Close(Tensor expected, double[] found, string what)
    {
        var values = expected.detach().contiguous().data<double>().ToArray();
        Assert.Equal(values.Length, found.Length);
        var (error, size) = (Math.Sqrt(values.Zip(found, (a, b) => (a - b) * (a - b)).Sum()), Math.Sqrt(values.Sum(v => v * v)));
        Assert.True(size > 0 && error <= Agreement * size, $"{what}: relative error {error / size:E2}.");
    }

    public static Tensor Made(int seed, params long[] shape) => from_array(Normal(new Random(seed), (int)shape.Aggregate((a, b) => a * b))).reshape(shape);

    private static double[] Normal(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];

    public static Tensor Lengths(int batch, int tokens) => from_array(Enumerable.Range(0, batch * tokens).Select(i => i % tokens < tokens - 1 - (i / tokens) ? 1L : 0).ToArray()).reshape(batch, tokens);

    /// <summary>Norms off one and zero, adapters that are not zero.</summary>
    public static void Disturb(ModelUnit unit)
    {
        using var noGrad = no_grad();
        var seed = 50;
        foreach (var tensor in unit.Parameters.Concat(unit.Frozen).Where(t => !t.Decay || t.Name.EndsWith("lora_B", StringComparison.Ordinal)))
        {
            tensor.Value.detach().add_(Made(seed++, tensor.Value.shape) * 0.2);
        }
    }
}
