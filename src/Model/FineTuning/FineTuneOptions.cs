using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Model.FineTuning;

/// <summary>What is trained.</summary>
public enum FineTuneMethod
{
    /// <summary>The whole model.</summary>
    Full,

    /// <summary>Adapters on attention's projections, pooler and head; the base is frozen.</summary>
    Lora,
}

/// <summary>Which attention the fine-tuned model has.</summary>
public enum AttentionChoice
{
    /// <summary>That of the checkpoint.</summary>
    Checkpoint,
    Softmax,
    GaussianKernel,
}

/// <summary>How far rows are padded.</summary>
public enum PaddingKind
{
    /// <summary>To the model's whole sequence, as encrypted inputs are.</summary>
    Full,

    /// <summary>To the longest row of the micro-batch, rounded up to 8: the same values but for rounding, in less time.</summary>
    Longest,
}

/// <summary>How adapters are saved.</summary>
public enum AdapterSaving
{
    /// <summary>Added to the projections: the file has the tensors of a model without adapters.</summary>
    Merged,

    /// <summary>As tensors of their own beside the projections.</summary>
    Separate,
}

/// <summary>How functions that are no polynomials are computed.</summary>
public enum FunctionKind
{
    Exact,

    /// <summary>By the polynomials of the calibration file, as encrypted training computes them.</summary>
    Polynomial,
}

/// <summary>Fine-tuning and evaluation on GLUE; key group <c>eval</c>. Defaults are those of <c>eval=GLUE_sane</c>.</summary>
public sealed record FineTuneOptions
{
    /// <summary>Names of tasks.</summary>
    public IReadOnlyList<string> Tasks { get; init; } = ["cola", "mrpc", "rte", "stsb", "sst2", "qnli"];

    /// <summary>Folder with the tasks' folders; empty: the sample set.</summary>
    public string Path { get; init; } = "";

    /// <summary><c>latest</c> or <c>smallest-loss</c> of the run's exports, a model folder, or a safetensors file.</summary>
    public string Checkpoint { get; init; } = "latest";

    /// <summary>Tokenizer for a checkpoint that has none beside it; empty: the checkpoint's.</summary>
    public string Tokenizer { get; init; } = "";

    /// <summary>Name of this fine-tuning under the run's <c>finetune</c> folder; empty: the method's name.</summary>
    public string Label { get; init; } = "";

    public AttentionChoice Attention { get; init; } = AttentionChoice.Checkpoint;

    public FineTuneMethod Method { get; init; } = FineTuneMethod.Full;

    /// <summary>Rank of adapters.</summary>
    public int LoraRank { get; init; } = 2;

    /// <summary>α of adapters.</summary>
    public double LoraAlpha { get; init; } = 1;

    /// <summary>Dropout before adapters.</summary>
    public double LoraDropout { get; init; }

    /// <summary>Projections with adapters: q, k, v.</summary>
    public IReadOnlyList<string> LoraTargets { get; init; } = ["q", "k", "v"];

    public int PoolerRank { get; init; } = 32;

    public int PoolerWidth { get; init; } = 1024;

    /// <summary>Passes over the training split.</summary>
    public double Epochs { get; init; } = 5;

    public int BatchSize { get; init; } = 16;

    public AdamWOptions Optim { get; init; } = new() { LearningRate = 4e-5, Beta1 = 0.9, Beta2 = 0.999, Eps = 1e-6, WeightDecay = 0.01 };

    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Cosine;

    /// <summary>Fraction of the steps for warm-up.</summary>
    public double WarmUp { get; init; }

    /// <summary>Global L2 norm to which gradients are clipped; 0: no clipping.</summary>
    public double Clip { get; init; }

    /// <summary>Dropout after embedding, attention, feed-forward and pooler.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>A new order of the training rows in every epoch, or the file's.</summary>
    public bool Shuffle { get; init; } = true;

    public PaddingKind Padding { get; init; } = PaddingKind.Full;

    /// <summary>Most training rows used; 0: all.</summary>
    public int TrainRows { get; init; }

    /// <summary>Runs of each task, each with a seed of its own.</summary>
    public int Repeats { get; init; } = 1;

    /// <summary>Steps between committed checkpoints; 0: one at the end of each epoch.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Evaluation actors that score each committed checkpoint on the labelled splits while training goes on; 0: only the end is scored.</summary>
    public int Evaluators { get; init; } = 1;

    /// <summary>Rows that an evaluation actor computes at a time.</summary>
    public int EvaluationBatch { get; init; } = 64;

    public AdapterSaving Save { get; init; } = AdapterSaving.Merged;

    public FunctionKind Functions { get; init; } = FunctionKind.Exact;

    /// <summary>Calibration file for polynomials; empty: that of the checkpoint.</summary>
    public string Calibration { get; init; } = "";

    /// <summary>Steps between those whose function inputs are recorded for the calibration file; 0: none.</summary>
    public int CalibrateEvery { get; init; }

    /// <summary>Name of the method in tables, e.g. <c>full</c> or <c>LoRA r2</c>.</summary>
    public string MethodName => (Method == FineTuneMethod.Lora ? $"LoRA r{LoraRank}" : "full") + (Functions == FunctionKind.Polynomial ? " polynomial" : "");

    /// <summary>The architecture that a model of another one is fine-tuned as.</summary>
    /// <exception cref="Common.RefusedException">It is none that can be built.</exception>
    public BertConfig Arch(BertConfig pretrained) => (pretrained with
    {
        FusedQkv = false,
        KeyStartsAsQuery = false,
        Dropout = Dropout,
        Attention = Attention switch
        {
            AttentionChoice.Softmax => AttentionKind.Softmax,
            AttentionChoice.GaussianKernel => AttentionKind.GaussianKernel,
            _ => pretrained.Attention,
        },
    }).Validate();

    /// <summary>What the model becomes for a task.</summary>
    public FineTuneShape Shape(string task, int outputs) => new FineTuneShape
    {
        Task = task,
        Outputs = outputs,
        PoolerRank = PoolerRank,
        PoolerWidth = PoolerWidth,
        Lora = Method == FineTuneMethod.Full ? null : new LoraShape
        {
            Rank = LoraRank,
            Alpha = LoraAlpha,
            Dropout = LoraDropout,
            Query = LoraTargets.Contains("q"),
            Key = LoraTargets.Contains("k"),
            Value = LoraTargets.Contains("v"),
        },
    }.Validate();

    /// <summary>The recipe of a run over a training split.</summary>
    /// <param name="rows">Rows of the split that are used.</param>
    public TrainOptions Recipe(int rows)
    {
        var steps = Math.Max(1, (int)Math.Ceiling(Epochs * rows / BatchSize));
        return new TrainOptions
        {
            Optim = Optim,
            Clip = Clip,
            BudgetUnit = BudgetUnit.Steps,
            Budget = steps,
            Schedule = Schedule,
            WarmUp = WarmUp,
            BatchSize = BatchSize,
            BatchRamp = 0,
            CheckpointEvery = CheckpointEvery > 0 ? CheckpointEvery : Math.Max(1, (rows + BatchSize - 1) / BatchSize),
            ExportEvery = 0,
            EvaluateEvery = 0,
            EvaluateBlocks = int.MaxValue,
        };
    }
}
