using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>Token table + learned scalar × fixed sin/cos positions, then LayerNorm. Unit 0.</summary>
public sealed class EmbeddingUnit : ModelUnit
{
    private const int PaddingId = 0;
    private readonly BertConfig _config;
    private readonly TorchSharp.Modules.Embedding _lookUp;
    private readonly Tensor _positions;
    private readonly Tensor _scale;
    private readonly Tensor _normWeight;
    private readonly Tensor _normBias;

    /// <summary>Builds the unit with initial weights of <paramref name="seed"/>.</summary>
    /// <param name="frozen">True: nothing is learned here.</param>
    public EmbeddingUnit(BertConfig config, ulong seed, ScalarType dtype = ScalarType.Float32, Device? device = null, bool frozen = false)
        : base(0, "embedding")
    {
        _config = config;
        using (var scope = NewDisposeScope())
        {
            // The module, for its backward: it knows the padding row and is native.
            // Not made from the table: such a module keeps that one too.
            _lookUp = nn.Embedding(config.Vocabulary, config.Hidden, padding_idx: PaddingId, device: device, dtype: dtype);
            Table = _lookUp.weight!.DetachFromDisposeScope();
            using var initial = InitialTable(config, seed, dtype, device);
            using var noGrad = no_grad();
            Table.copy_(initial);
            _positions = PositionTable(config, dtype, device).DetachFromDisposeScope();
        }

        _scale = InitialWeights.Constant(config.PositionScale > 0 ? config.PositionScale : 1 / Math.Sqrt(config.Hidden), dtype, device, 1);
        _normWeight = InitialWeights.Constant(1, dtype, device, config.Hidden);
        _normBias = InitialWeights.Constant(0, dtype, device, config.Hidden);
        Parameters =
        [
            new(ParameterNames.WordEmbedding, Table, Decay: true),
            new(ParameterNames.PositionScale, _scale, Decay: false),
            new("encoder.embedding.norm.weight", _normWeight, Decay: false),
            new("encoder.embedding.norm.bias", _normBias, Decay: false),
        ];
        if (frozen)
        {
            (Frozen, Parameters) = (Parameters, []);
            foreach (var parameter in Frozen)
            {
                parameter.Value.requires_grad = false;
            }
        }
    }

    /// <summary>
    /// The token table [vocabulary, hidden], a leaf. Look-ups leave the padding row (id 0) of its gradient zero; the tied
    /// decoder's gradient, added by whoever reduces the two, is not so restricted.
    /// </summary>
    public Tensor Table { get; }

    public override IReadOnlyList<NamedParameter> Parameters { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<NamedParameter> Frozen { get; } = [];

    /// <summary>The table as a fresh unit would have it: for a decoder that is built where the embedding is not. The caller owns it.</summary>
    public static Tensor InitialTable(BertConfig config, ulong seed, ScalarType dtype = ScalarType.Float32, Device? device = null) =>
        InitialWeights.Normal(config.InitStd, seed, 0, 0, dtype, device, [config.Vocabulary, config.Hidden], zeroRow: PaddingId);

    /// <summary>Embeds token ids.</summary>
    /// <param name="ids">[B, S], int64 or int32, S at most <see cref="BertConfig.Sequence"/>.</param>
    /// <param name="context">Keys of the dropout mask.</param>
    /// <returns>[B, S, hidden].</returns>
    /// <exception cref="ArgumentException">The sequence is longer than the position table.</exception>
    public Tensor Forward(Tensor ids, ForwardContext context)
    {
        var length = ids.shape[^1];
        if (ids.dim() != 2 || length > _config.Sequence)
        {
            throw new ArgumentException($"Token ids must be [B, S] with S at most {_config.Sequence}; found [{string.Join(", ", ids.shape)}].", nameof(ids));
        }

        // Scaling the [S, H] table first keeps the scalar's gradient from needing a [B, S, H] temporary.
        var embedded = _lookUp.forward(ids) + _positions.narrow(0, 0, length) * (_config.LearnPositionScale ? _scale : _scale.detach());
        var normed = nn.functional.layer_norm(embedded, [_config.Hidden], _normWeight, _normBias, _config.LayerNormEps);
        return SeededDropout.Apply(normed, _config.Dropout, context, Index, site: 0);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _positions.Dispose();
        _lookUp.Dispose();
    }

    /// <summary>sin at even, cos at odd columns, of position / 10,000^(column pair / hidden) (Vaswani et al., arXiv 1706.03762, section 3.5).</summary>
    private static Tensor PositionTable(BertConfig config, ScalarType dtype, Device? device)
    {
        var values = new double[config.Sequence * config.Hidden];
        for (var position = 0; position < config.Sequence; position++)
        {
            for (var column = 0; column < config.Hidden; column += 2)
            {
                var angle = position * Math.Exp(-Math.Log(10_000) * column / config.Hidden);
                values[position * config.Hidden + column] = Math.Sin(angle);
                values[position * config.Hidden + column + 1] = Math.Cos(angle);
            }
        }

        return tensor(values, [config.Sequence, config.Hidden], ScalarType.Float64).to(dtype, device ?? CPU);
    }
}
