namespace ActorTrainer.Model.Optimisation;

/// <summary>Cuts a step's batch into micro-batches.</summary>
public static class MicroBatches
{
    /// <summary>Rows of each micro-batch, in order; all of <paramref name="microBatchSize"/> rows but perhaps the last.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public static IReadOnlyList<int> Split(int sequences, int microBatchSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequences);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microBatchSize);
        var rows = new int[(sequences - 1) / microBatchSize + 1];
        Array.Fill(rows, microBatchSize);
        rows[^1] = sequences - (rows.Length - 1) * microBatchSize;
        return rows;
    }
}
