namespace ActorTrainer.Model.Optimisation;

/// <summary>The batch size as a function of how much of the budget is used.</summary>
public static class BatchRamp
{
    /// <summary>
    /// Sequences of the step that begins with <paramref name="fraction"/> of the budget used: linear from one micro-batch to
    /// <see cref="TrainOptions.BatchSize"/> over the first <see cref="TrainOptions.BatchRamp"/> of the budget, rounded to the nearest whole
    /// number of micro-batches, at least one, and never above the batch size (which need not be a whole number of them).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The fraction is not in [0, 1], or a size is not positive.</exception>
    public static int SequencesAt(TrainOptions options, int microBatch, double fraction)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microBatch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.BatchSize);
        if (!(fraction >= 0 && fraction <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(fraction), fraction, "The used part of the budget lies in [0, 1].");
        }

        if (fraction >= options.BatchRamp || microBatch >= options.BatchSize)
        {
            return options.BatchSize;
        }

        var wanted = microBatch + (options.BatchSize - microBatch) * (fraction / options.BatchRamp);
        var microBatches = Math.Max(1, (long)Math.Round(wanted / microBatch, MidpointRounding.AwayFromZero));
        return (int)Math.Min(microBatches * microBatch, options.BatchSize);
    }
}
