using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>All units in a row in one process: the plain model that pipelines are compared with.</summary>
public sealed class BertForMlm : IDisposable
{
    /// <summary>Builds every unit with initial weights of <paramref name="seed"/> and ties the decoder.</summary>
    /// <param name="bf16">Matrix products with bfloat16 operands.</param>
    public BertForMlm(BertConfig config, ulong seed, ScalarType dtype = ScalarType.Float32, Device? device = null, bool bf16 = false)
    {
        Embedding = new EmbeddingUnit(config, seed, dtype, device);
        Layers = [.. Enumerable.Range(0, config.Layers).Select(layer => new EncoderLayerUnit(config, layer, seed, dtype, device, bf16))];
        Head = new MlmHeadUnit(config, seed, dtype, device, bf16);
        Head.TieTo(Embedding.Table);
        Units = [Embedding, .. Layers, Head];
    }

    public EmbeddingUnit Embedding { get; }

    public IReadOnlyList<EncoderLayerUnit> Layers { get; }

    public MlmHeadUnit Head { get; }

    /// <summary>Embedding, layers, head.</summary>
    public IReadOnlyList<ModelUnit> Units { get; }

    /// <summary>Learned tensors of all units; the tied decoder is not repeated.</summary>
    public IEnumerable<NamedParameter> Parameters => Units.SelectMany(unit => unit.Parameters);

    /// <summary>The encoder's output before the final norm, [B, S, hidden].</summary>
    /// <param name="ids">[B, S] token ids.</param>
    /// <param name="mask">[B, S], 1 at tokens and 0 at padding; null when there is no padding.</param>
    public Tensor Encode(Tensor ids, ForwardContext context, Tensor? mask = null)
    {
        var hidden = Embedding.Forward(ids, context);
        foreach (var layer in Layers)
        {
            hidden = layer.Forward(hidden, mask, context);
        }

        return hidden;
    }

    /// <summary><paramref name="scale"/> × the sum of cross-entropies at the masked positions; see <see cref="MlmHeadUnit"/>.</summary>
    public Tensor Loss(Tensor ids, Tensor positions, Tensor labels, double scale, ForwardContext context, Tensor? mask = null) =>
        Head.Loss(Encode(ids, context, mask), positions, labels, scale);

    /// <summary>Adds the decoder's gradient to the token table's and clears it: once per step, after the last backward.</summary>
    public void ReduceTiedGradients()
    {
        using var decoder = Head.Decoder.grad;
        if (decoder is not null)
        {
            TiedTable.AddGradient(Embedding.Table, decoder);
            Head.Decoder.grad = null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var unit in Units)
        {
            unit.Dispose();
        }
    }
}
