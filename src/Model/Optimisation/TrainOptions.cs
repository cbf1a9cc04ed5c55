namespace ActorTrainer.Model.Optimisation;

/// <summary>What a training budget counts.</summary>
public enum BudgetUnit
{
    Steps,
    Tokens,

    /// <summary>Wall-clock hours, as the original recipe: such a run is not reproducible.</summary>
    Hours,
}

/// <summary>Learning rate over the budget.</summary>
public enum LearningRateSchedule
{
    /// <summary>25 % of the peak at the start, linear to 100 % at 75 % of the budget, linear to 0 at the end.</summary>
    BudgetTriangle2,

    /// <summary>Linear from 0 to the peak at the warm-up fraction, linear to 0 at the end.</summary>
    Triangular,

    /// <summary>Linear warm-up, then half a cosine to 0.</summary>
    Cosine,

    /// <summary>Linear warm-up, then the peak.</summary>
    Constant,
}

/// <summary>What happens when a loss or gradient norm is NaN or infinite.</summary>
public enum NonFinitePolicy
{
    /// <summary>The run stops with the step and stage named; the last checkpoint stands.</summary>
    Stop,

    /// <summary>The step's update is skipped and counted.</summary>
    Skip,
}

/// <summary>AdamW (Loshchilov and Hutter, arXiv 1711.05101); key group <c>train.optim</c>.</summary>
public sealed record AdamWOptions
{
    public double LearningRate { get; init; } = 1e-3;

    public double Beta1 { get; init; } = 0.9;

    public double Beta2 { get; init; } = 0.98;

    public double Eps { get; init; } = 1e-12;

    /// <summary>True: m̂/√(v̂+ε), as the encrypted optimiser; false: m̂/(√v̂+ε).</summary>
    public bool EpsInsideRoot { get; init; }

    /// <summary>Decoupled decay; not applied to biases, norms and the position scale.</summary>
    public double WeightDecay { get; init; } = 0.01;
}

/// <summary>The pre-training recipe; key group <c>train</c>. Defaults are those of <c>train=bert-o4</c> but for a shorter budget.</summary>
public sealed record TrainOptions
{
    public AdamWOptions Optim { get; init; } = new();

    /// <summary>Global L2 norm to which gradients are clipped; 0 turns clipping off.</summary>
    public double Clip { get; init; } = 0.5;

    public BudgetUnit BudgetUnit { get; init; } = BudgetUnit.Steps;

    /// <summary>Steps, tokens or hours, by <see cref="BudgetUnit"/>.</summary>
    public double Budget { get; init; } = 1000;

    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.BudgetTriangle2;

    /// <summary>Fraction of the budget for warm-up (triangular: position of the peak), in [0, 1].</summary>
    public double WarmUp { get; init; }

    /// <summary>Sequences per optimiser step once the ramp is over.</summary>
    public int BatchSize { get; init; } = 8192;

    /// <summary>Fraction of the budget over which the batch grows linearly from one micro-batch to <see cref="BatchSize"/>; 0 = no ramp.</summary>
    public double BatchRamp { get; init; } = 0.6;

    /// <summary>Share of positions that are predicted.</summary>
    public double MlmProbability { get; init; } = 0.25;

    public NonFinitePolicy NonFinite { get; init; } = NonFinitePolicy.Stop;

    /// <summary>Steps between committed checkpoints (what a killed run goes back to); 0 = only at the end.</summary>
    public int CheckpointEvery { get; init; } = 100;

    /// <summary>Steps between exported model folders under <c>checkpoints/</c>; 0 = only the final one.</summary>
    public int ExportEvery { get; init; }

    /// <summary>Steps between evaluations on held-out text; 0 = only at the end.</summary>
    public int EvaluateEvery { get; init; } = 100;

    /// <summary>Held-out blocks per evaluation at most.</summary>
    public int EvaluateBlocks { get; init; } = 256;
}
