using ActorTrainer.Actors.Coordination;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Bench;

/// <summary>What is trained, the same for the plain loop and every pipeline.</summary>
public sealed record Workload
{
    public required BertConfig Arch { get; init; }

    public required TrainOptions Train { get; init; }

    /// <summary>Sequences of a micro-batch.</summary>
    public required int MicroBatch { get; init; }

    /// <summary>Seed of weights and batches.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Tokens of an optimiser step.</summary>
    public long TokensPerStep => (long)Train.BatchSize * Arch.Sequence;

    /// <summary>Masked tokens of a sequence, a quarter as in the recipe.</summary>
    public int TargetsPerSequence => Arch.Sequence / 4;

    /// <summary>The recipe over a number of steps with a fixed batch.</summary>
    /// <param name="arch">Model.</param>
    /// <param name="microBatch">Sequences of a micro-batch.</param>
    /// <param name="batch">Sequences of a step.</param>
    /// <param name="steps">Optimiser steps.</param>
    public static Workload Of(BertConfig arch, int microBatch, int batch, int steps) => new()
    {
        Arch = arch.Validate(),
        MicroBatch = microBatch,
        Train = new TrainOptions
        {
            Budget = steps,
            BatchSize = batch,
            BatchRamp = 0,
            CheckpointEvery = 0,
            EvaluateEvery = 0,
        },
    };

    /// <summary>Its batches.</summary>
    public IBatchSource Batches() => new SyntheticBatches(Arch.Sequence, Arch.Vocabulary, TargetsPerSequence, Seed);
}
