using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>One pre-LN encoder layer: x + attn(norm1 x), then x + ffn(norm2 x); no biases besides the norms'.</summary>
public sealed class EncoderLayerUnit : ModelUnit
{
    private readonly BertConfig _config;
    private readonly bool _bf16;
    private readonly Tensor[] _projections;
    private readonly Tensor _dense;
    private readonly Tensor _denseIn;
    private readonly Tensor _denseOut;
    private readonly Tensor _norm1Weight;
    private readonly Tensor _norm1Bias;
    private readonly Tensor _norm2Weight;
    private readonly Tensor _norm2Bias;

    /// <summary>Builds layer <paramref name="layer"/> (0-based; unit layer + 1) with initial weights of <paramref name="seed"/>.</summary>
    /// <param name="bf16">Matrix products with bfloat16 operands.</param>
    public EncoderLayerUnit(BertConfig config, int layer, ulong seed, ScalarType dtype = ScalarType.Float32, Device? device = null, bool bf16 = false)
        : base(layer + 1, $"layers.{layer}")
    {
        _config = config;
        _bf16 = bf16;
        var (hidden, inner) = ((long)config.Hidden, (long)config.FeedForward / 2);
        var parameters = new List<NamedParameter>();
        _norm1Weight = Constant("norm1.weight", 1);
        _norm1Bias = Constant("norm1.bias", 0);
        _projections = config.FusedQkv
            ? [Matrix(ParameterNames.FusedProjection, 3 * hidden, hidden)]
            : [
                Matrix(ParameterNames.QueryProjection, hidden, hidden),
                Matrix(ParameterNames.KeyProjection, hidden, hidden, config.KeyStartsAsQuery ? parameters.Count - 1 : null),
                Matrix(ParameterNames.ValueProjection, hidden, hidden),
            ];
        _dense = Matrix("attn.dense.weight", hidden, hidden);
        _norm2Weight = Constant("norm2.weight", 1);
        _norm2Bias = Constant("norm2.bias", 0);
        _denseIn = Matrix("ffn.dense_in.weight", 2 * inner, hidden);
        _denseOut = Matrix("ffn.dense_out.weight", hidden, inner);
        Parameters = parameters;

        // Drawn under the parameter's own number, or under that of another one whose values it starts with.
        Tensor Matrix(string name, long rows, long columns, int? like = null) =>
            Add(name, InitialWeights.Normal(config.InitStd, seed, Index, like ?? parameters.Count, dtype, device, [rows, columns]), decay: true);

        Tensor Constant(string name, double value) => Add(name, InitialWeights.Constant(value, dtype, device, hidden), decay: false);

        Tensor Add(string name, Tensor value, bool decay)
        {
            parameters.Add(new(ParameterNames.Layer(layer, name), value, decay));
            return value;
        }
    }

    public override IReadOnlyList<NamedParameter> Parameters { get; }

    /// <summary>Runs the layer.</summary>
    /// <param name="hidden">[B, S, hidden].</param>
    /// <param name="mask">[B, S], 1 at tokens and 0 at padding, of any type; null when there is no padding.</param>
    /// <param name="context">Keys of the dropout masks.</param>
    /// <returns>[B, S, hidden].</returns>
    public Tensor Forward(Tensor hidden, Tensor? mask, ForwardContext context)
    {
        var attended = Attention(Norm(hidden, _norm1Weight, _norm1Bias), mask);
        hidden = hidden + SeededDropout.Apply(attended, _config.Dropout, context, Index, site: 0);
        var fed = FeedForward(Norm(hidden, _norm2Weight, _norm2Bias));
        return hidden + SeededDropout.Apply(fed, _config.Dropout, context, Index, site: 1);
    }

    private Tensor Attention(Tensor x, Tensor? mask)
    {
        var (batch, length) = (x.shape[0], x.shape[1]);
        var (q, k, v) = Project(x, batch, length);
        var bias = mask is null ? null : AttentionProduct.ScoreBias(mask, x.dtype);
        var attended = _config.Attention == AttentionKind.GaussianKernel
            ? AttentionProduct.GaussianKernel(q, k, v, bias, _bf16)
            : AttentionProduct.Softmax(q, k, v, bias, _bf16);
        return MatrixProduct.Linear(attended.transpose(1, 2).reshape(batch, length, _config.Hidden), _dense, _bf16);
    }

    /// <summary>Queries, keys and values, each [B, heads, S, d].</summary>
    private (Tensor Q, Tensor K, Tensor V) Project(Tensor x, long batch, long length)
    {
        if (_config.FusedQkv)
        {
            var parts = Heads(_projections[0], 3 * _config.HeadWidth).chunk(3, -1);
            return (parts[0], parts[1], parts[2]);
        }

        return (Heads(_projections[0], _config.HeadWidth), Heads(_projections[1], _config.HeadWidth), Heads(_projections[2], _config.HeadWidth));

        Tensor Heads(Tensor weight, int width) =>
            MatrixProduct.Linear(x, weight, _bf16).view(batch, length, _config.Heads, width).transpose(1, 2);
    }

    private Tensor FeedForward(Tensor x)
    {
        // chunk, not two narrows: its backward is one concatenation.
        var halves = MatrixProduct.Linear(x, _denseIn, _bf16).chunk(2, -1);
        var gate = _config.Activation == GateActivation.Gelu ? nn.functional.gelu(halves[1]) : halves[1].relu();
        return MatrixProduct.Linear(halves[0] * gate, _denseOut, _bf16);
    }

    private Tensor Norm(Tensor x, Tensor weight, Tensor bias) =>
        nn.functional.layer_norm(x, [_config.Hidden], weight, bias, _config.LayerNormEps);
}
