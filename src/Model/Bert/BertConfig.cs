using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Bert;

/// <summary>How attention scores become weights.</summary>
public enum AttentionKind
{
    /// <summary>softmax(q·k/√d), the crammed BERT.</summary>
    Softmax,

    /// <summary>exp(−‖q−k‖²/(2√d)) without row normalisation, the encryption-friendly model.</summary>
    GaussianKernel,
}

/// <summary>Activation of the feed-forward gate.</summary>
public enum GateActivation
{
    Gelu,
    Relu,
}

/// <summary>
/// Shape of a crammed BERT: pre-LN encoder, no biases besides LayerNorm's, gated feed-forward, scaled sinusoidal positions
/// (Geiping and Goldstein, arXiv 2212.14034; Rho et al., arXiv 2410.02486, section 3).
/// </summary>
public sealed record BertConfig
{
    /// <summary>Encoder layers.</summary>
    public int Layers { get; init; } = 16;

    /// <summary>Width of the hidden state.</summary>
    public int Hidden { get; init; } = 768;

    /// <summary>Attention heads; must divide <see cref="Hidden"/>.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Width of dense_in, value and gate half together (3,072 gives halves of 1,536).</summary>
    public int FeedForward { get; init; } = 3072;

    /// <summary>Entries of the token table.</summary>
    public int Vocabulary { get; init; } = 32768;

    /// <summary>Tokens of a block; positions of the fixed sin/cos table.</summary>
    public int Sequence { get; init; } = 128;

    public AttentionKind Attention { get; init; } = AttentionKind.Softmax;

    public GateActivation Activation { get; init; } = GateActivation.Gelu;

    /// <summary>True: one query_key_value matrix, rows interleaved per head; false: three matrices.</summary>
    public bool FusedQkv { get; init; } = true;

    /// <summary>Probability of dropping an activation after embedding, attention and feed-forward; 0 in pre-training.</summary>
    public double Dropout { get; init; }

    /// <summary>Added to the variance under LayerNorm's root.</summary>
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>Standard deviation of initial Linear and Embedding weights.</summary>
    public double InitStd { get; init; } = 0.02;

    /// <summary>Initial value of the scalar before the sin/cos positions; 0 = 1/√hidden, as published.</summary>
    public double PositionScale { get; init; }

    /// <summary>
    /// Whether that scalar is trained, as published. Early in a run positions only disturb, and at a high learning rate the scalar falls
    /// to zero within a hundred steps; a short run then never learns word order. Fixed, it cannot.
    /// </summary>
    public bool LearnPositionScale { get; init; } = true;

    /// <summary>Width of one head.</summary>
    public int HeadWidth => Hidden / Heads;

    /// <summary>Learned parameters of the MLM model, tied decoder counted once.</summary>
    public long ParameterCount =>
        (long)Vocabulary * Hidden + 1 + 2L * Hidden // token table, position scale, embedding norm
        + (long)Layers * (4L * Hidden * Hidden + (long)FeedForward * Hidden + (long)FeedForward / 2 * Hidden + 4L * Hidden)
        + 2L * Hidden; // final norm

    /// <summary>Refuses shapes that cannot be built.</summary>
    /// <exception cref="RefusedException">Names the key, the value and the rule.</exception>
    public BertConfig Validate()
    {
        foreach (var (key, value) in new[]
        {
            ("layers", Layers), ("hidden", Hidden), ("heads", Heads), ("feed_forward", FeedForward), ("vocabulary", Vocabulary), ("sequence", Sequence),
        })
        {
            if (value < 1)
            {
                throw new RefusedException($"arch.{key}={value} must be at least 1.");
            }
        }

        if (Hidden % Heads != 0)
        {
            throw new RefusedException($"arch.hidden={Hidden} must be a multiple of arch.heads={Heads}: each head takes an equal share of the hidden state.");
        }

        if (FeedForward % 2 != 0)
        {
            throw new RefusedException($"arch.feed_forward={FeedForward} must be even: one half is the value, the other the gate.");
        }

        if (Hidden % 2 != 0)
        {
            throw new RefusedException($"arch.hidden={Hidden} must be even: positions use sine and cosine in pairs.");
        }

        return this;
    }
}
