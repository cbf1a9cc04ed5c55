using ActorTrainer.Actors;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Ranges;

namespace ActorTrainer.Host.Configuration;

/// <summary>Statistics of function inputs in pre-training, and the penalty of those outside of ranges in its last steps; keys <c>train.range</c>.</summary>
public sealed record RangeTraining
{
    /// <summary>λ: weight of the penalty; 0 = none.</summary>
    public double Penalty { get; init; }

    /// <summary>Last steps of the budget that have the penalty.</summary>
    public int Steps { get; init; } = 100;

    /// <summary>ReLU's inputs: ± this.</summary>
    public double Relu { get; init; } = 50;

    /// <summary>M: LayerNorm's variances in [0.0005·M, M].</summary>
    public double NormBound { get; init; } = 10;

    /// <summary>The kernel's exponents in [−this, 0].</summary>
    public double Kernel { get; init; } = 16_384;

    /// <summary>Steps between those whose function inputs are recorded; 0 = none.</summary>
    public int CalibrateEvery { get; init; }

    /// <summary>For the stages.</summary>
    /// <param name="train">The budget.</param>
    /// <param name="arch">The model.</param>
    public RangeOptions Of(TrainOptions train, BertConfig arch) => new()
    {
        CalibrateEvery = CalibrateEvery,
        Penalty = Penalty,
        PenaltyFrom = Penalty > 0 && TotalSteps(train, arch) is { } total ? Math.Max(1, total - Steps + 1) : 0,
        Targets = new RangeTargets { Relu = Relu, NormBound = NormBound, Kernel = Kernel },
    };

    /// <summary>Steps of a budget; null: it cannot be told beforehand.</summary>
    public static long? TotalSteps(TrainOptions train, BertConfig arch) => train.BudgetUnit switch
    {
        BudgetUnit.Steps => (long)train.Budget,
        BudgetUnit.Tokens when train.BatchRamp == 0 => (long)Math.Ceiling(train.Budget / ((double)train.BatchSize * arch.Sequence)),
        _ => null,
    };
}
