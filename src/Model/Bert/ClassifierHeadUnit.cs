using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>
/// Final LayerNorm, first token, low-rank pooler hidden → rank → width → tanh, linear head → outputs (Rho et al., arXiv 2410.02486,
/// section 3). The norm is part of the base: frozen with it. Targets: labels [B], int64 classes or float32 numbers.
/// </summary>
public sealed class ClassifierHeadUnit : HeadUnit
{
    private readonly BertConfig _config;
    private readonly FineTuneShape _shape;
    private readonly Tensor _normWeight;
    private readonly Tensor _normBias;
    private readonly Tensor[] _layers;

    /// <summary>Builds the unit with initial weights of <paramref name="seed"/>.</summary>
    public ClassifierHeadUnit(BertConfig config, FineTuneShape shape, ulong seed, ScalarType dtype = ScalarType.Float32, Device? device = null)
        : base(config.Layers + 1)
    {
        _config = config;
        _shape = shape;
        _normWeight = InitialWeights.Constant(1, dtype, device, config.Hidden);
        _normBias = InitialWeights.Constant(0, dtype, device, config.Hidden);
        NamedParameter[] norm =
        [
            new("encoder.final_norm.weight", _normWeight, Decay: false),
            new("encoder.final_norm.bias", _normBias, Decay: false),
        ];
        NamedParameter[] trained =
        [
            .. Linear("pooler.lora_a", config.Hidden, shape.PoolerRank, 1),
            .. Linear("pooler.lora_b", shape.PoolerRank, shape.PoolerWidth, 2),
            .. Linear("head", shape.PoolerWidth, shape.Outputs, 3),
        ];
        _layers = [.. trained.Select(parameter => parameter.Value)];
        if (shape.BaseIsFrozen)
        {
            (_normWeight.requires_grad, _normBias.requires_grad) = (false, false);
            (Parameters, Frozen) = (trained, norm);
        }
        else
        {
            Parameters = [.. norm, .. trained];
        }

        IEnumerable<NamedParameter> Linear(string name, int from, int to, int number) =>
        [
            new($"{name}.weight", InitialWeights.Normal(config.InitStd, seed, Index, number, dtype, device, [to, from]), Decay: true),
            new($"{name}.bias", InitialWeights.Constant(0, dtype, device, to), Decay: false),
        ];
    }

    public override IReadOnlyList<NamedParameter> Parameters { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<NamedParameter> Frozen { get; } = [];

    /// <summary>[B, S, hidden] → [B, outputs].</summary>
    public Tensor Logits(Tensor hidden, ForwardContext context)
    {
        // The norm works row by row: only the first token's is needed.
        var first = LayerNorm.Apply(hidden.select(1, 0), _normWeight, _normBias, _config.LayerNormEps, Name, "norm", context);
        var pooled = nn.functional.linear(nn.functional.linear(first, _layers[0], _layers[1]), _layers[2], _layers[3]);
        var site = new FunctionSite(Name, "pooler", PointFunction.Tanh);
        context.Probe?.Observe(site, pooled);
        pooled = context.Functions?.Apply(site, pooled) ?? pooled.tanh();
        pooled = SeededDropout.Apply(pooled, _config.Dropout, context, Index, site: 0);
        return nn.functional.linear(pooled, _layers[4], _layers[5]);
    }

    /// <inheritdoc/>
    public override Tensor Loss(Tensor hidden, IReadOnlyList<Tensor> targets, double scale, ForwardContext context)
    {
        var logits = Logits(hidden, context);
        if (_shape.Outputs == 1)
        {
            return (logits.squeeze(1) - targets[0].to(logits.dtype)).square().sum() * scale;
        }

        return ClassifierLoss.CrossEntropy(logits, targets[0], Name, context) * scale;
    }

    /// <inheritdoc/>
    public override HeadScore Evaluate(Tensor hidden, IReadOnlyList<Tensor> targets, ForwardContext context)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var logits = Logits(hidden, context);
        var outputs = logits.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
        var labels = targets[0];
        if (_shape.Outputs == 1)
        {
            var squared = (logits.squeeze(1) - labels.to(logits.dtype)).square().sum().to(ScalarType.Float64).item<double>();
            return new HeadScore(squared, 0, labels.numel(), outputs);
        }

        var loss = nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.Sum).to(ScalarType.Float64).item<double>();
        return new HeadScore(loss, logits.argmax(-1).eq(labels).sum().to(ScalarType.Int64).item<long>(), labels.numel(), outputs);
    }
}
