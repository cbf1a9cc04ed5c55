using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Host.Encrypted;

/// <summary>Makes the data owner of a run from what the owner brings.</summary>
internal static class OwnerOfRun
{
    /// <summary>Of a training run: it sees losses.</summary>
    /// <param name="source">The order of micro-batches.</param>
    /// <param name="examples">What the owner keeps of them.</param>
    /// <param name="microBatches">Micro-batches of a step.</param>
    public static OwnerService Of(EncryptedInputs inputs, EncryptedBatchSource source, OwnerExamples examples, int microBatches)
    {
        var batch = inputs.Job.Packing.Batch;
        return Of(
            inputs, (step, microBatch) => Part(examples.Labels, step, microBatch),
            key => key is { Phase: Phase.Train, MicroBatch: >= 0 } ? Part(examples.TokenCounts, key.Step, key.MicroBatch) : null);

        IReadOnlyList<T> Part<T>(IReadOnlyList<T> all, long step, int microBatch) =>
            [.. all.Skip(source.MicroBatchAt((((step - 1) * microBatches) + microBatch) * batch) * batch).Take(batch)];
    }

    /// <summary>Of an evaluation: it sees outputs.</summary>
    public static OwnerService OfEvaluation(EncryptedInputs inputs) => Of(inputs, (_, _) => [], _ => null);

    private static OwnerService Of(EncryptedInputs inputs, Func<long, int, IReadOnlyList<float>> labels, Func<RefreshKey, IReadOnlyList<int>?> lengths)
    {
        var (program, job) = (inputs.Program, inputs.Job);
        var ledger = new OwnerLedger(program.Recipe.Units.ToDictionary(unit => unit, program.Units.Layout), job.Shape.Outputs, job.Task.IsRegression, labels);
        var ranges = program.Plan.Ranges(program.Packing);
        var guard = new RangeGuard(ranges, new RealTokens(program.Packing, ranges, lengths).Slots);
        return new OwnerService(inputs.Keys, program.Plan.Sites, ledger, guard, job.Run.He.ThreadCount());
    }
}
