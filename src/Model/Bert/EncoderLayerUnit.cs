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
    private readonly LowRankAdapter?[] _adapters = new LowRankAdapter?[3];

    /// <summary>Builds layer <paramref name="layer"/> (0-based; unit layer + 1) with initial weights of <paramref name="seed"/>.</summary>
    /// <param name="bf16">Matrix products with bfloat16 operands.</param>
    /// <param name="lora">Adapters beside the projections; the layer's own weights are frozen then. Needs three projections.</param>
    public EncoderLayerUnit(
        BertConfig config, int layer, ulong seed, ScalarType dtype = ScalarType.Float32, Device? device = null, bool bf16 = false, LoraShape? lora = null)
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
        if (lora is not null)
        {
            (Frozen, Parameters) = (parameters, Adapt(lora, seed, dtype, device));
        }

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

    /// <inheritdoc/>
    public override IReadOnlyList<NamedParameter> Frozen { get; } = [];

    /// <summary>Runs the layer.</summary>
    /// <param name="hidden">[B, S, hidden].</param>
    /// <param name="mask">[B, S], 1 at tokens and 0 at padding, of any type; null when there is no padding.</param>
    /// <param name="context">Keys of the dropout masks.</param>
    /// <returns>[B, S, hidden].</returns>
    public Tensor Forward(Tensor hidden, Tensor? mask, ForwardContext context)
    {
        var attended = Attention(Norm(hidden, _norm1Weight, _norm1Bias, "norm1", context), mask, context);
        hidden = hidden + SeededDropout.Apply(attended, _config.Dropout, context, Index, site: 0);
        var fed = FeedForward(Norm(hidden, _norm2Weight, _norm2Bias, "norm2", context), context);
        return hidden + SeededDropout.Apply(fed, _config.Dropout, context, Index, site: 1);
    }

    /// <summary>Adds the adapters and freezes the layer's own weights. Returns the adapters' tensors.</summary>
    private List<NamedParameter> Adapt(LoraShape lora, ulong seed, ScalarType dtype, Device? device)
    {
        if (_config.FusedQkv)
        {
            throw new ArgumentException("Adapters need three projections: the configuration must have FusedQkv false.", nameof(lora));
        }

        var trained = new List<NamedParameter>();
        string[] names = [ParameterNames.QueryProjection, ParameterNames.KeyProjection, ParameterNames.ValueProjection];
        for (var i = 0; i < names.Length; i++)
        {
            if (lora.Has(i))
            {
                _adapters[i] = new LowRankAdapter(
                    lora, _config.Hidden, ParameterNames.Layer(Index - 1, names[i]), Index, i, seed, dtype, device);
                trained.AddRange(_adapters[i]!.Parameters);
            }
        }

        foreach (var parameter in Parameters)
        {
            parameter.Value.requires_grad = false;
        }

        return trained;
    }

    private Tensor Attention(Tensor x, Tensor? mask, ForwardContext context)
    {
        var (batch, length) = (x.shape[0], x.shape[1]);
        var (q, k, v) = Project(x, batch, length, context);
        var bias = mask is null ? null : AttentionProduct.ScoreBias(mask, x.dtype);
        var attended = _config.Attention == AttentionKind.GaussianKernel
            ? AttentionProduct.GaussianKernel(q, k, v, bias, _bf16, new FunctionSite(Name, "attention", PointFunction.KernelExp), context)
            : AttentionProduct.Softmax(q, k, v, bias, _bf16);
        return MatrixProduct.Linear(attended.transpose(1, 2).reshape(batch, length, _config.Hidden), _dense, _bf16);
    }

    /// <summary>Queries, keys and values, each [B, heads, S, d].</summary>
    private (Tensor Q, Tensor K, Tensor V) Project(Tensor x, long batch, long length, ForwardContext context)
    {
        if (_config.FusedQkv)
        {
            var parts = Heads(0, 3 * _config.HeadWidth).chunk(3, -1);
            return (parts[0], parts[1], parts[2]);
        }

        return (Heads(0, _config.HeadWidth), Heads(1, _config.HeadWidth), Heads(2, _config.HeadWidth));

        Tensor Heads(int projection, int width)
        {
            var product = MatrixProduct.Linear(x, _projections[projection], _bf16);
            if (_adapters[projection] is { } adapter)
            {
                product = product + adapter.Apply(x, context, site: 2 + projection);
            }

            return product.view(batch, length, _config.Heads, width).transpose(1, 2);
        }
    }

    private Tensor FeedForward(Tensor x, ForwardContext context)
    {
        // chunk, not two narrows: its backward is one concatenation.
        var halves = MatrixProduct.Linear(x, _denseIn, _bf16).chunk(2, -1);
        var gate = _config.Activation == GateActivation.Gelu ? nn.functional.gelu(halves[1]) : Relu(halves[1], context);
        return MatrixProduct.Linear(halves[0] * gate, _denseOut, _bf16);
    }

    private Tensor Relu(Tensor x, ForwardContext context)
    {
        var site = new FunctionSite(Name, "gate", PointFunction.Relu);
        context.Probe?.Observe(site, x);
        return context.Functions?.Apply(site, x) ?? x.relu();
    }

    private Tensor Norm(Tensor x, Tensor weight, Tensor bias, string place, ForwardContext context) =>
        LayerNorm.Apply(x, weight, bias, _config.LayerNormEps, Name, place, context);
}
