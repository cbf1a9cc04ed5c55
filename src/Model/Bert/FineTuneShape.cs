using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Bert;

/// <summary>Low-rank adapters beside attention's projections: W + (α/r)·B·A (Hu et al., arXiv 2106.09685).</summary>
public sealed record LoraShape
{
    /// <summary>r.</summary>
    public int Rank { get; init; } = 2;

    /// <summary>α; what B·A gives is multiplied by α/r.</summary>
    public double Alpha { get; init; } = 1;

    /// <summary>Dropout before A, in training.</summary>
    public double Dropout { get; init; }

    public bool Query { get; init; } = true;

    public bool Key { get; init; } = true;

    public bool Value { get; init; } = true;

    /// <summary>α/r.</summary>
    public double Scale => Alpha / Rank;

    /// <summary>Whether projection 0 (query), 1 (key) or 2 (value) has an adapter.</summary>
    public bool Has(int projection) => projection switch { 0 => Query, 1 => Key, _ => Value };
}

/// <summary>
/// What fine-tuning makes of a pre-trained model: a classification head, and adapters or none (Rho et al., arXiv 2410.02486, section 3).
/// With adapters the base is frozen; pooler and head are always trained.
/// </summary>
public sealed record FineTuneShape
{
    /// <summary>Name of the task, for the files.</summary>
    public string Task { get; init; } = "";

    /// <summary>Classes, 1 for a real number.</summary>
    public int Outputs { get; init; } = 2;

    /// <summary>Width between the pooler's two matrices.</summary>
    public int PoolerRank { get; init; } = 32;

    /// <summary>Width after the pooler.</summary>
    public int PoolerWidth { get; init; } = 1024;

    /// <summary>Adapters; null: the whole model is trained.</summary>
    public LoraShape? Lora { get; init; }

    /// <summary>Whether the base's weights stay as they are.</summary>
    public bool BaseIsFrozen => Lora is not null;

    /// <summary>Refuses shapes that cannot be built.</summary>
    /// <exception cref="RefusedException">Names the key, the value and the rule.</exception>
    public FineTuneShape Validate()
    {
        if (Lora is { } lora && (lora.Rank < 1 || !(lora.Query || lora.Key || lora.Value)))
        {
            throw new RefusedException($"eval.lora.rank={lora.Rank} must be at least 1, and eval.lora.targets must name at least one of q, k, v.");
        }

        if (Lora is { } adapters && !(double.IsFinite(adapters.Alpha) && adapters.Dropout is >= 0 and < 1))
        {
            throw new RefusedException($"eval.lora.alpha={adapters.Alpha} must be a number, and eval.lora.dropout={adapters.Dropout} at least 0 and below 1.");
        }

        if (Outputs < 1 || PoolerRank < 1 || PoolerWidth < 1)
        {
            throw new RefusedException($"eval.pooler_rank={PoolerRank}, eval.pooler_width={PoolerWidth} and the task's outputs ({Outputs}) must be at least 1.");
        }

        return this;
    }
}
