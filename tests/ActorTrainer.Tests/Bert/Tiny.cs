using ActorTrainer.Model.Bert;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Bert;

/// <summary>Shapes and inputs small enough for exhaustive checks.</summary>
internal static class Tiny
{
    public static readonly ForwardContext Context = new(Seed: 1, Step: 1, MicroBatch: 0, Training: true);

    /// <summary>A model of 2 layers, hidden 8, 2 heads; larger weights than usual, so that nothing hides in rounding.</summary>
    public static BertConfig Config(
        AttentionKind attention = AttentionKind.Softmax,
        GateActivation activation = GateActivation.Gelu,
        bool fused = true,
        double dropout = 0) => new()
        {
            Layers = 2,
            Hidden = 8,
            Heads = 2,
            FeedForward = 12,
            Vocabulary = 11,
            Sequence = 6,
            Attention = attention,
            Activation = activation,
            FusedQkv = fused,
            Dropout = dropout,
            InitStd = 0.5,
        };

    /// <summary>Reproducible N(0, 1) values; the caller's scope owns them.</summary>
    public static Tensor Normal(ulong seed, params long[] shape)
    {
        using var generator = new Generator(seed, CPU);
        return randn(shape, ScalarType.Float64, CPU, generator: generator);
    }

    /// <summary>Two rows of six ids; the second ends in padding.</summary>
    public static Tensor Ids() => tensor(new long[] { 4, 7, 2, 9, 5, 10, 4, 3, 8, 5, 0, 0 }, [2, 6]);

    /// <summary>1 at tokens, 0 at padding of <see cref="Ids"/>.</summary>
    public static Tensor Mask() => Ids().ne(0).to(ScalarType.Int64);

    public static Tensor Positions() => tensor(new long[] { 1, 3, 8 });

    public static Tensor Labels() => tensor(new long[] { 6, 9, 1 });

    public static float[] Floats(Tensor value) => value.detach().cpu().to(ScalarType.Float32).contiguous().data<float>().ToArray();

    public static double[] Doubles(Tensor value) => value.detach().cpu().to(ScalarType.Float64).contiguous().data<double>().ToArray();
}
