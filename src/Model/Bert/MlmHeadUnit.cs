using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>
/// Final LayerNorm and the decoder tied to the token table, applied to the masked positions only. The decoder is a leaf of
/// its own, also when it shares the table's memory: its gradient is kept apart and added to the table's at the end of a
/// step, so that sums do not depend on whether both live in one stage.
/// </summary>
public sealed class MlmHeadUnit : HeadUnit
{
    private readonly BertConfig _config;
    private readonly bool _bf16;
    private readonly Tensor _normWeight;
    private readonly Tensor _normBias;
    private Tensor? _decoder;

    /// <summary>Builds the unit; call <see cref="TieTo"/> or <see cref="UntiedCopy"/> before use.</summary>
    /// <param name="seed">As for every unit; the norm starts at 1 and 0, so nothing is drawn from it.</param>
    /// <param name="bf16">Matrix products with bfloat16 operands.</param>
    public MlmHeadUnit(BertConfig config, ulong seed, ScalarType dtype = ScalarType.Float32, Device? device = null, bool bf16 = false)
        : base(config.Layers + 1)
    {
        _config = config;
        _bf16 = bf16;
        _normWeight = InitialWeights.Constant(1, dtype, device, config.Hidden);
        _normBias = InitialWeights.Constant(0, dtype, device, config.Hidden);
        Parameters =
        [
            new("encoder.final_norm.weight", _normWeight, Decay: false),
            new("encoder.final_norm.bias", _normBias, Decay: false),
        ];
    }

    public override IReadOnlyList<NamedParameter> Parameters { get; }

    /// <summary>The output matrix [vocabulary, hidden], a leaf that is not among <see cref="Parameters"/>.</summary>
    /// <exception cref="InvalidOperationException">Neither <see cref="TieTo"/> nor <see cref="UntiedCopy"/> was called.</exception>
    public Tensor Decoder => _decoder ?? throw new InvalidOperationException("The head has no decoder yet: call TieTo or UntiedCopy.");

    /// <summary>Whether <see cref="Decoder"/> can be used.</summary>
    public bool HasDecoder => _decoder is not null;

    /// <summary>Makes the decoder another leaf over the memory of <paramref name="table"/>, for a stage that owns both.</summary>
    public void TieTo(Tensor table) => Replace(table.detach());

    /// <summary>Gives the decoder memory of its own with the values of <paramref name="table"/>, for a stage without the table.</summary>
    public void UntiedCopy(Tensor table)
    {
        using var values = table.detach();
        Replace(values.clone());
    }

    /// <summary>Scores of every token at the given positions.</summary>
    /// <param name="hidden">[B, S, hidden].</param>
    /// <param name="positions">[N], int64 indices into the B·S rows.</param>
    /// <returns>[N, vocabulary].</returns>
    public Tensor Logits(Tensor hidden, Tensor positions)
    {
        // The norm works row by row, so the rows that are not predicted need none.
        var rows = hidden.reshape(-1, _config.Hidden).index_select(0, positions);
        var normed = nn.functional.layer_norm(rows, [_config.Hidden], _normWeight, _normBias, _config.LayerNormEps);
        return MatrixProduct.Linear(normed, Decoder, _bf16);
    }

    /// <summary><paramref name="scale"/> × the sum of the cross-entropies: losses of micro-batches add up.</summary>
    /// <param name="hidden">[B, S, hidden].</param>
    /// <param name="positions">[N], int64 indices into the B·S rows.</param>
    /// <param name="labels">[N], int64 token ids.</param>
    /// <param name="scale">Usually 1 / number of masked positions of the whole step.</param>
    /// <returns>A scalar, in nats.</returns>
    public Tensor Loss(Tensor hidden, Tensor positions, Tensor labels, double scale) =>
        nn.functional.cross_entropy(Logits(hidden, positions), labels, reduction: nn.Reduction.Sum) * scale;

    /// <inheritdoc/>
    public override Tensor Loss(Tensor hidden, IReadOnlyList<Tensor> targets, double scale, ForwardContext context) =>
        Loss(hidden, targets[0], targets[1], scale);

    /// <inheritdoc/>
    public override HeadScore Evaluate(Tensor hidden, IReadOnlyList<Tensor> targets, ForwardContext context)
    {
        var (loss, correct) = Evaluate(hidden, targets[0], targets[1]);
        return new HeadScore(loss, correct, targets[1].numel(), []);
    }

    /// <summary>Sum of the cross-entropies in nats, and how often the best-scored token is the label; keeps no graph.</summary>
    public (double LossSum, long Correct) Evaluate(Tensor hidden, Tensor positions, Tensor labels)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var logits = Logits(hidden, positions);
        var loss = nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.Sum).to(ScalarType.Float64).item<double>();
        return (loss, labels.shape[0] == 0 ? 0 : logits.argmax(-1).eq(labels).sum().to(ScalarType.Int64).item<long>());
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        Release();
    }

    private void Replace(Tensor value)
    {
        Release();
        _decoder = value.requires_grad_().DetachFromDisposeScope();
    }

    private void Release()
    {
        _decoder?.grad?.Dispose();
        _decoder?.Dispose();
        _decoder = null;
    }
}
