namespace ActorTrainer.Model.Bert;

/// <summary>Names of published crammed-BERT state dicts.</summary>
public static class ParameterNames
{
    public const string WordEmbedding = "encoder.embedding.word_embedding.weight";

    public const string PositionScale = "encoder.embedding.pos_embedding.scale_factor";

    /// <summary>Duplicate of <see cref="WordEmbedding"/> in files; the tied output matrix.</summary>
    public const string Decoder = "decoder.weight";

    /// <summary><c>encoder.layers.{layer}.{rest}</c>.</summary>
    public static string Layer(int layer, string rest) => $"encoder.layers.{layer}.{rest}";

    /// <summary>Name inside a layer of the fused projection, rows interleaved per head: q, k, v, q, …</summary>
    public const string FusedProjection = "attn.self_attention.query_key_value.weight";

    public const string QueryProjection = "attn.self_attention.query.weight";

    public const string KeyProjection = "attn.self_attention.key.weight";

    public const string ValueProjection = "attn.self_attention.value.weight";

    public const string LoraDown = "lora_A";

    public const string LoraUp = "lora_B";

    /// <summary>The adapter beside a projection: <c>attn.self_attention.query.lora_A</c> for <see cref="QueryProjection"/>.</summary>
    public static string Adapter(string projection, string part) => projection[..^"weight".Length] + part;
}
