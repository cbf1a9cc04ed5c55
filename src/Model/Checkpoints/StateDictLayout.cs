using ActorTrainer.Model.Bert;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>Names and shapes of a model's learned tensors, from its configuration alone.</summary>
public static class StateDictLayout
{
    /// <summary>All learned tensors in canonical order; the tied decoder is not repeated.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Of(BertConfig config)
    {
        long hidden = config.Hidden;
        yield return (ParameterNames.WordEmbedding, [config.Vocabulary, hidden]);
        yield return (ParameterNames.PositionScale, [1]);
        yield return ("encoder.embedding.norm.weight", [hidden]);
        yield return ("encoder.embedding.norm.bias", [hidden]);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            foreach (var (rest, shape) in Layer(config))
            {
                yield return (ParameterNames.Layer(layer, rest), shape);
            }
        }

        yield return ("encoder.final_norm.weight", [hidden]);
        yield return ("encoder.final_norm.bias", [hidden]);
    }

    private static IEnumerable<(string Name, long[] Shape)> Layer(BertConfig config)
    {
        long hidden = config.Hidden;
        yield return ("norm1.weight", [hidden]);
        yield return ("norm1.bias", [hidden]);
        if (config.FusedQkv)
        {
            yield return (ParameterNames.FusedProjection, [3 * hidden, hidden]);
        }
        else
        {
            yield return (ParameterNames.QueryProjection, [hidden, hidden]);
            yield return (ParameterNames.KeyProjection, [hidden, hidden]);
            yield return (ParameterNames.ValueProjection, [hidden, hidden]);
        }

        yield return ("attn.dense.weight", [hidden, hidden]);
        yield return ("norm2.weight", [hidden]);
        yield return ("norm2.bias", [hidden]);
        yield return ("ffn.dense_in.weight", [config.FeedForward, hidden]);
        yield return ("ffn.dense_out.weight", [hidden, config.FeedForward / 2]);
    }
}
