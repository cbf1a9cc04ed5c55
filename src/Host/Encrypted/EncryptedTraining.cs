using ActorTrainer.Actors;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Host.Encrypted;

/// <summary>The settings of an encrypted run: the same for its owner, and for the coordinator's node that trains it.</summary>
internal static class EncryptedTraining
{
    /// <summary>Seed of the initial adapters: that of the same fine-tuning in the clear.</summary>
    public static ulong Seed(EncryptedJob job) => CounterRandom.Key(job.Run.Seed, RandomPurpose.FineTuning, (int)job.Task.Task, 1);

    /// <summary>How it is trained.</summary>
    /// <param name="rows">Training rows of an epoch.</param>
    /// <param name="steps">Steps; 0: as many as eval.epochs come to.</param>
    /// <exception cref="RefusedException">Steps are no whole micro-batches.</exception>
    public static TrainOptions Train(EncryptedJob job, int rows, long steps)
    {
        var (batch, recipe) = (job.Packing.Batch, job.Run.Eval.Recipe(rows));
        if (recipe.BatchSize % batch != 0)
        {
            throw new RefusedException($"eval.batch_size={recipe.BatchSize} must be a multiple of the {batch} rows that are encrypted together (he.batch).");
        }

        return recipe with
        {
            Budget = steps > 0 ? steps : recipe.Budget,
            Clip = 0,
            CheckpointEvery = Math.Max(1, job.Run.Eval.CheckpointEvery),
        };
    }

    /// <summary>The run.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="train">See <see cref="Train"/>.</param>
    public static RunOptions Options(EncryptedJob job, string name, string folder, TrainOptions train) => new()
    {
        Name = name,
        Folder = folder,
        Seed = job.Run.Seed,
        Arch = job.Arch,
        FineTune = job.Shape,
        Train = train,
        Pipeline = job.Run.Pipeline,
        Impl = job.Run.Impl with { MicroBatchSize = job.Packing.Batch, DigestEvery = 0 },
    };
}
