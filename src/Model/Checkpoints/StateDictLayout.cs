using ActorTrainer.Model.Bert;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>Names and shapes of a model's learned tensors, from its configuration alone.</summary>
public static class StateDictLayout
{
    private const string EmbeddingPrefix = "encoder.embedding.";
    private const string LayerPrefix = "encoder.layers.";

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

    /// <summary>Name of the unit that a tensor belongs to, by the tensor's name alone: what is neither the embedding's nor a layer's is the head's.</summary>
    public static string UnitOf(string name)
    {
        if (name.StartsWith(EmbeddingPrefix, StringComparison.Ordinal))
        {
            return "embedding";
        }

        return name.StartsWith(LayerPrefix, StringComparison.Ordinal) ? $"layers.{name[LayerPrefix.Length..].Split('.')[0]}" : "head";
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
