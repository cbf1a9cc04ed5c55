using ActorTrainer.Model.Bert;
using static TorchSharp.torch;

namespace ActorTrainer.Model.FineTuning;

/// <summary>All units of a fine-tuned model in one process, for evaluation and as the twin of pipelines.</summary>
/// <param name="units">Embedding, layers, classifier head; owned from here on.</param>
public sealed class FineTunedBert(IReadOnlyList<ModelUnit> units) : IDisposable
{
    /// <summary>The units.</summary>
    public IReadOnlyList<ModelUnit> Units => units;

    /// <summary>The last unit.</summary>
    public ClassifierHeadUnit Head => (ClassifierHeadUnit)units[^1];

    /// <summary>[B, S] ids and padding mask → the encoder's output [B, S, hidden].</summary>
    public Tensor Encode(Tensor ids, Tensor? mask, ForwardContext context)
    {
        var hidden = ((EmbeddingUnit)units[0]).Forward(ids, context);
        foreach (var layer in units.OfType<EncoderLayerUnit>())
        {
            hidden = layer.Forward(hidden, mask, context);
        }

        return hidden;
    }

    /// <summary>[B, S] ids and padding mask → [B, outputs].</summary>
    public Tensor Logits(Tensor ids, Tensor? mask, ForwardContext context) => Head.Logits(Encode(ids, mask, context), context);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var unit in units)
        {
            unit.Dispose();
        }
    }
}
