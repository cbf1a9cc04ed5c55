using ActorTrainer.Actors.Schedules;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Ranges;

namespace ActorTrainer.Actors;

/// <summary>How the model is cut into stages.</summary>
public enum PartitionKind
{
    /// <summary>Units (embedding, layers, head) spread evenly by number.</summary>
    Count,

    /// <summary>By measured forward and backward time of each unit, so that the slowest stage is as fast as possible.</summary>
    Cost,
}

/// <summary>The pipeline; key group <c>pipeline</c>. Results do not depend on any of it.</summary>
public sealed record PipelineOptions
{
    /// <summary>Stage actors.</summary>
    public int Stages { get; init; } = 2;

    public ScheduleKind Schedule { get; init; } = ScheduleKind.OneForwardOneBackward;

    /// <summary>Model parts per stage (virtual stages) of the interleaved schedule; 1 otherwise.</summary>
    public int Chunks { get; init; } = 1;

    public PartitionKind Partition { get; init; } = PartitionKind.Cost;

    /// <summary>Explicit cut: units per part, in order, e.g. [2, 2]; empty: by <see cref="Partition"/>.</summary>
    public IReadOnlyList<int> Cut { get; init; } = [];
}

/// <summary>Number format of matrix products.</summary>
public enum Precision
{
    Float32,

    /// <summary>Matrix products in bfloat16, weights and sums in float32; refused where the device has no bfloat16 units.</summary>
    BFloat16,

    /// <summary>bfloat16 on a CUDA device, float32 on a CPU.</summary>
    Auto,
}

/// <summary>Device choice.</summary>
public enum DeviceKind
{
    Auto,
    Cpu,
    Cuda,
}

/// <summary>How the program runs; key group <c>impl</c>.</summary>
public sealed record ImplOptions
{
    public DeviceKind Device { get; init; } = DeviceKind.Auto;

    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>Sequences of one micro-batch; the last one of a step may be smaller.</summary>
    public int MicroBatchSize { get; init; } = 128;

    /// <summary>Intra-op threads of each stage. Results depend on it bit for bit: 1 unless bits do not matter.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Keep only each part's input and run its forward again before its backward: less memory, more time, equal bits.</summary>
    public bool Recompute { get; init; }

    /// <summary>Force every message and payload through its wire format, even inside one process.</summary>
    public bool SerializeMessages { get; init; }

    /// <summary>Steps between digests of weights, optimiser and RNG in digests.jsonl; 0 = none.</summary>
    public int DigestEvery { get; init; }

    /// <summary>Seconds without progress after which a step counts as stalled.</summary>
    public double StallTimeout { get; init; } = 120;

    /// <summary>Roll-backs to the last checkpoint without a new one in between before the run stops.</summary>
    public int MaxRetries { get; init; } = 3;

    /// <summary>Steps of stage timings kept for trace.json, from the start and again from the end of a run; 0 = none.</summary>
    public int TraceSteps { get; init; } = 50;

    /// <summary>Committed checkpoints kept for going back; exported folders are never removed.</summary>
    public int KeepCheckpoints { get; init; } = 2;
}

/// <summary>What is done about functions that are no polynomials.</summary>
public sealed record RangeOptions
{
    /// <summary>Steps between those whose function inputs are recorded; 0: none.</summary>
    public int CalibrateEvery { get; init; }

    /// <summary>Weight λ of the penalty of inputs outside of their range: λ times their summed distance, for each target of the loss.</summary>
    public double Penalty { get; init; }

    /// <summary>The ranges of the penalty.</summary>
    public RangeTargets Targets { get; init; } = new();

    /// <summary>First step with the penalty; 0: none has it.</summary>
    public long PenaltyFrom { get; init; }

    /// <summary>Calibration (JSON text) whose polynomials stand in for the functions; empty: exact functions.</summary>
    public string Functions { get; init; } = "";
}

/// <summary>One training run, as the coordinator sees it.</summary>
public sealed record RunOptions
{
    /// <summary>Name of the run: folder under the base folder, and persistence id.</summary>
    public required string Name { get; init; }

    /// <summary>Folder of the run: journal, objects, checkpoints, metrics.</summary>
    public required string Folder { get; init; }

    public ulong Seed { get; init; }

    public BertConfig Arch { get; init; } = new();

    /// <summary>What fine-tuning makes of the model; null: pre-training.</summary>
    public FineTuneShape? FineTune { get; init; }

    public RangeOptions Ranges { get; init; } = new();

    public TrainOptions Train { get; init; } = new();

    public PipelineOptions Pipeline { get; init; } = new();

    public ImplOptions Impl { get; init; } = new();
}
