namespace ActorTrainer.Model.Data;

/// <summary>What a model that knows only how frequent tokens are would lose: the yardstick for the MLM loss.</summary>
public static class UnigramBaseline
{
    /// <summary>
    /// Mean −ln p of the labels in nats, where p(t) = (count(t) + 1) / (N + V) are the frequencies of the training split with
    /// add-one smoothing, N tokens and V entries.
    /// </summary>
    /// <param name="trainCounts">Counts of the training split [V].</param>
    /// <param name="labels">True ids of masked held-out tokens.</param>
    /// <exception cref="ArgumentException">There are no labels.</exception>
    public static double CrossEntropy(long[] trainCounts, IEnumerable<int> labels)
    {
        var total = Math.Log(trainCounts.Sum() + (double)trainCounts.Length);
        var (sum, count) = (0.0, 0L);
        foreach (var label in labels)
        {
            sum += total - Math.Log(trainCounts[label] + 1.0);
            count++;
        }

        return count > 0 ? sum / count : throw new ArgumentException("There are no labels.", nameof(labels));
    }
}
