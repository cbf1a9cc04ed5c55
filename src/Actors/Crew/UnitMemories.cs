using ActorTrainer.Actors.Nodes;
using ActorTrainer.Model.Bert;

namespace ActorTrainer.Actors.Crew;

/// <summary>
/// Estimates what the units of a BERT need in memory, float32: what autograd keeps between forward and backward, and the state of the
/// optimiser. Not in it: the process itself, buffers of the data plane, and the moment in which a stage loads its checkpoint.
/// </summary>
public static class UnitMemories
{
    private const long Float = 4;

    /// <summary>Weight, gradient and AdamW's two moments.</summary>
    private const long PerParameter = 4 * Float;

    /// <summary>Estimates each unit, in order.</summary>
    /// <param name="config">The model.</param>
    /// <param name="rows">Sequences of a micro-batch.</param>
    /// <param name="targetsPerRow">Masked tokens of a sequence.</param>
    /// <param name="recompute">Only the inputs of units are kept; the activations of one micro-batch at a time exist during its backward.</param>
    public static IReadOnlyList<UnitMemory> Of(BertConfig config, int rows, int targetsPerRow, bool recompute)
    {
        var embedding = Embedding(config, rows);
        var layer = Layer(config, rows);
        var head = Head(config, rows, (long)rows * targetsPerRow);
        if (recompute)
        {
            var ids = (long)rows * config.Sequence * sizeof(long);
            (embedding, layer, head) = (Recomputed(embedding, ids + State(config, rows)), Recomputed(layer, State(config, rows)), Recomputed(head, State(config, rows)));
        }

        return [embedding, .. Enumerable.Repeat(layer, config.Layers), head];
    }

    /// <summary>
    /// Estimates each unit of a fine-tuned model, in order. With adapters the base has neither gradients nor moments; its activations are
    /// counted as if it had, which is at most a few too many.
    /// </summary>
    /// <param name="config">The model.</param>
    /// <param name="shape">What fine-tuning makes of it.</param>
    /// <param name="rows">Sequences of a micro-batch.</param>
    /// <param name="recompute">See <see cref="Of"/>.</param>
    public static IReadOnlyList<UnitMemory> OfFineTuning(BertConfig config, FineTuneShape shape, int rows, bool recompute)
    {
        var pretraining = Of(config, rows, 0, recompute);
        var projections = shape.Lora is { } lora ? lora.Rank * 2L * config.Hidden * new[] { lora.Query, lora.Key, lora.Value }.Count(on => on) : 0;
        var head = (long)config.Hidden * shape.PoolerRank + (long)(shape.PoolerRank + 1 + shape.Outputs) * shape.PoolerWidth + shape.Outputs;
        var pooled = rows * (2L * config.Hidden + shape.PoolerRank + 2L * shape.PoolerWidth + shape.Outputs) * Float;
        return
        [
            pretraining[0] with { Fixed = pretraining[0].Fixed - Table(config) * Float - Unlearned(Table(config) + 2L * config.Hidden) },
            .. pretraining.Skip(1).Take(config.Layers).Select(layer => layer with { Fixed = layer.Fixed - Unlearned(LayerParameters(config)) + projections * PerParameter }),
            new UnitMemory(2L * config.Hidden * (shape.BaseIsFrozen ? Float : PerParameter) + head * PerParameter, State(config, rows) + pooled),
        ];

        long Unlearned(long parameters) => shape.BaseIsFrozen ? parameters * (PerParameter - Float) : 0;
    }

    /// <summary>Bytes of one hidden state [B, S, H].</summary>
    private static long State(BertConfig config, long rows) => rows * config.Sequence * config.Hidden * Float;

    private static long Table(BertConfig config) => (long)config.Vocabulary * config.Hidden;

    private static UnitMemory Recomputed(UnitMemory full, long input) => new(full.Fixed + full.Activation, input);

    private static UnitMemory Embedding(BertConfig config, int rows)
    {
        var state = State(config, rows);
        var dropout = config.Dropout > 0 ? state : 0;

        // One table more: the decoder's gradient arrives once a step. Activations: ids, sum before the norm, output.
        return new UnitMemory(
            (Table(config) + 1 + 2L * config.Hidden) * PerParameter + Table(config) * Float,
            (long)rows * config.Sequence * sizeof(long) + 2 * state + dropout);
    }

    private static UnitMemory Layer(BertConfig config, int rows)
    {
        var state = State(config, rows);
        var inner = (long)rows * config.Sequence * config.FeedForward * Float;
        var scores = (long)rows * config.Heads * config.Sequence * Float;
        var dropout = config.Dropout > 0 ? 2 * state : 0;

        // norm1, q, k, v, attended values, first sum, norm2, second sum (the output) …
        var hidden = 8 * state;

        // … both halves of dense_in, the activated gate and its product with the value.
        var feedForward = 2 * inner;

        // The fused kernel keeps a number a row; the Gaussian kernel all weights and the scaled queries.
        var attention = config.Attention == AttentionKind.GaussianKernel ? scores * config.Sequence + state : scores;
        var norms = 4L * rows * config.Sequence * Float;
        return new UnitMemory(LayerParameters(config) * PerParameter, hidden + feedForward + attention + norms + dropout);
    }

    private static long LayerParameters(BertConfig config) =>
        4L * config.Hidden * config.Hidden + 3L * config.FeedForward / 2 * config.Hidden + 4L * config.Hidden;

    private static UnitMemory Head(BertConfig config, int rows, long targets)
    {
        var logits = targets * config.Vocabulary * Float;

        // The decoder and its gradient have no optimiser here. While one micro-batch goes back, two more of the size of the logits exist.
        return new UnitMemory(
            2L * config.Hidden * PerParameter + 2 * Table(config) * Float + 2 * logits,
            State(config, rows) + 2 * targets * config.Hidden * Float + logits);
    }
}
