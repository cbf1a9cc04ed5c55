using ActorTrainer.Actors;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Host.Configuration;

/// <summary>A complete, checked configuration of a run.</summary>
public sealed record RunConfiguration
{
    /// <summary>Name of the run; the same name continues it.</summary>
    public string Name { get; init; } = "run";

    /// <summary>Folder that holds the runs' folders.</summary>
    public string BaseDir { get; init; } = "outputs";

    /// <summary>Seed of everything random.</summary>
    public ulong Seed { get; init; }

    public BertConfig Arch { get; init; } = new();

    public TrainOptions Train { get; init; } = new();

    /// <summary>Ranges of function inputs in pre-training.</summary>
    public RangeTraining Ranges { get; init; } = new();

    public DataOptions Data { get; init; } = new();

    public PipelineOptions Pipeline { get; init; } = new();

    /// <summary>Fine-tuning and evaluation.</summary>
    public FineTuneOptions Eval { get; init; } = new();

    /// <summary>Encrypted fine-tuning.</summary>
    public HeOptions He { get; init; } = new();

    public ImplOptions Impl { get; init; } = new();

    /// <summary>The cluster that the program is a node or a client of; without seeds, runs are local.</summary>
    public ClusterOptions Cluster { get; init; } = new();

    /// <summary>Folder of this run.</summary>
    public string RunFolder => Path.Combine(BaseDir, Name);

    /// <summary>The part that the coordinator of a pre-training run sees.</summary>
    public RunOptions ToRunOptions() => new()
    {
        Name = Name,
        Folder = RunFolder,
        Seed = Seed,
        Arch = Arch,
        Ranges = Ranges.Of(Train, Arch),
        Train = Train,
        Pipeline = Pipeline,
        Impl = Impl,
    };
}
