namespace ActorTrainer.Model.Glue;

/// <summary>Metrics of predicted classes against true ones. Pure; classes are numbers from 0.</summary>
public static class ClassMetrics
{
    /// <summary>Counts, true class × predicted class.</summary>
    /// <exception cref="ArgumentException">No rows, different lengths, or a class outside 0 … classes − 1.</exception>
    public static int[][] Confusion(ReadOnlySpan<int> truth, ReadOnlySpan<int> predicted, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        if (truth.Length != predicted.Length)
        {
            throw new ArgumentException($"Expected a prediction for each of {truth.Length} rows, found {predicted.Length}.", nameof(predicted));
        }

        if (truth.IsEmpty)
        {
            throw new ArgumentException("There are no rows to take a metric of.", nameof(truth));
        }

        var counts = new int[classes][];
        for (var c = 0; c < classes; c++)
        {
            counts[c] = new int[classes];
        }

        for (var i = 0; i < truth.Length; i++)
        {
            if ((uint)truth[i] >= (uint)classes || (uint)predicted[i] >= (uint)classes)
            {
                throw new ArgumentException($"Row {i}: expected classes from 0 to {classes - 1}, found {truth[i]}, predicted {predicted[i]}.");
            }

            counts[truth[i]][predicted[i]]++;
        }

        return counts;
    }

    /// <summary>Share of rows on the diagonal, in [0, 1].</summary>
    /// <exception cref="ArgumentException">The matrix is empty.</exception>
    public static double Accuracy(int[][] confusion)
    {
        var rows = Rows(confusion);
        return (double)confusion.Select((row, c) => (long)row[c]).Sum() / rows;
    }

    /// <summary>Harmonic mean of precision and recall of one class, 2·tp / (2·tp + fp + fn); 0 where it is neither true nor predicted anywhere.</summary>
    /// <exception cref="ArgumentException">The matrix is empty or has no such class.</exception>
    public static double F1(int[][] confusion, int positive = 1)
    {
        Rows(confusion);
        if ((uint)positive >= (uint)confusion.Length)
        {
            throw new ArgumentException($"There is no class {positive} among {confusion.Length}.", nameof(positive));
        }

        var hits = 2.0 * confusion[positive][positive];
        var all = confusion[positive].Sum(n => (long)n) + confusion.Sum(row => (long)row[positive]);
        return all == 0 ? 0 : hits / all;
    }

    /// <summary>
    /// Matthews correlation, in [−1, 1], for more than two classes in Gorodkin's form (Comput. Biol. Chem. 28, 2004);
    /// 0 where all rows have one true class, or all one predicted class.
    /// </summary>
    /// <exception cref="ArgumentException">The matrix is empty.</exception>
    public static double Matthews(int[][] confusion)
    {
        double rows = Rows(confusion);
        double hits = 0, product = 0, trueSquares = 0, predictedSquares = 0;
        for (var c = 0; c < confusion.Length; c++)
        {
            double isTrue = confusion[c].Sum(n => (long)n);
            double isPredicted = confusion.Sum(row => (long)row[c]);
            hits += confusion[c][c];
            product += isTrue * isPredicted;
            trueSquares += isTrue * isTrue;
            predictedSquares += isPredicted * isPredicted;
        }

        var (spreadTrue, spreadPredicted) = ((rows * rows) - trueSquares, (rows * rows) - predictedSquares);
        return spreadTrue == 0 || spreadPredicted == 0 ? 0 : ((hits * rows) - product) / Math.Sqrt(spreadTrue * spreadPredicted);
    }

    private static long Rows(int[][] confusion)
    {
        var rows = confusion.Sum(row => row.Sum(n => (long)n));
        return rows > 0 ? rows : throw new ArgumentException("There are no rows to take a metric of.", nameof(confusion));
    }
}
