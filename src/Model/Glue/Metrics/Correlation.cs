namespace ActorTrainer.Model.Glue;

/// <summary>Correlations of two series, in [−1, 1]; 0 where one of them is constant or holds a value that is not finite. Pure.</summary>
public static class Correlation
{
    /// <summary>Pearson's r.</summary>
    /// <exception cref="ArgumentException">No values, or different lengths.</exception>
    public static double Pearson(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Check(x, y);
        if (Constant(x) || Constant(y))
        {
            return 0;
        }

        // Two passes: a single one loses the digits that large means share.
        var (meanX, meanY) = (Mean(x), Mean(y));
        double xx = 0, yy = 0, xy = 0;
        for (var i = 0; i < x.Length; i++)
        {
            var (dx, dy) = (x[i] - meanX, y[i] - meanY);
            xx += dx * dx;
            yy += dy * dy;
            xy += dx * dy;
        }

        var r = xy / (Math.Sqrt(xx) * Math.Sqrt(yy));
        return double.IsFinite(r) ? Math.Clamp(r, -1, 1) : 0;
    }

    /// <summary>Spearman's rho: Pearson's r of the ranks, equal values having the mean of their ranks.</summary>
    /// <exception cref="ArgumentException">No values, or different lengths.</exception>
    public static double Spearman(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Check(x, y);
        return AllFinite(x) && AllFinite(y) ? Pearson(AverageRanks(x), AverageRanks(y)) : 0;
    }

    /// <summary>Ranks from 1; equal values have the mean of their ranks.</summary>
    public static double[] AverageRanks(ReadOnlySpan<double> values)
    {
        var sorted = values.ToArray();
        var order = new int[sorted.Length];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        Array.Sort(sorted, order);
        var ranks = new double[sorted.Length];
        for (var from = 0; from < sorted.Length;)
        {
            var to = from + 1;
            while (to < sorted.Length && sorted[to] == sorted[from])
            {
                to++;
            }

            for (var i = from; i < to; i++)
            {
                ranks[order[i]] = (from + 1 + to) / 2.0;
            }

            from = to;
        }

        return ranks;
    }

    private static void Check(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length != y.Length)
        {
            throw new ArgumentException($"Expected two series of one length, found {x.Length} and {y.Length}.", nameof(y));
        }

        if (x.IsEmpty)
        {
            throw new ArgumentException("There are no values to correlate.", nameof(x));
        }
    }

    private static bool Constant(ReadOnlySpan<double> values) => !values.ContainsAnyExcept(values[0]);

    private static bool AllFinite(ReadOnlySpan<double> values)
    {
        foreach (var value in values)
        {
            if (!double.IsFinite(value))
            {
                return false;
            }
        }

        return true;
    }

    private static double Mean(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += value;
        }

        return sum / values.Length;
    }
}
