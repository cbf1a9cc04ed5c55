using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;

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
        return Of(inputs, (step, microBatch) =>
        {
            var number = source.MicroBatchAt((((step - 1) * microBatches) + microBatch) * batch);
            return [.. examples.Labels.Skip(number * batch).Take(batch)];
        });
    }

    /// <summary>With labels by step and micro-batch.</summary>
    public static OwnerService Of(EncryptedInputs inputs, Func<long, int, IReadOnlyList<float>> labels)
    {
        var layouts = inputs.Program.Recipe.Units.ToDictionary(unit => unit, inputs.Program.Units.Layout);
        return new OwnerService(
            inputs.Keys, inputs.Program.Plan, new OwnerLedger(layouts, inputs.Job.Shape.Outputs, inputs.Job.Task.IsRegression, labels), null, inputs.Job.Run.He.ThreadCount());
    }
}
