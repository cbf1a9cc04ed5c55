using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;
using Xunit;

namespace ActorTrainer.Tests.Glue.Metrics;

public class CorrelationTests
{
    [Fact]
    public void Pearson_equals_its_other_formula()
    {
        // Anscombe's first quartet: r = 0.81642.
        double[] x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
        double[] y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        var n = x.Length;
        var expected = ((n * x.Zip(y, (a, b) => a * b).Sum()) - (x.Sum() * y.Sum()))
            / Math.Sqrt(((n * x.Sum(v => v * v)) - (x.Sum() * x.Sum())) * ((n * y.Sum(v => v * v)) - (y.Sum() * y.Sum())));
        Assert.Equal(expected, Correlation.Pearson(x, y), 12);
        Assert.Equal(0.81642, Correlation.Pearson(x, y), 5);
    }

    [Fact]
    public void Spearman_without_ties_equals_the_formula_of_rank_differences()
    {
        // IQ and hours of television: rho = −29/165.
        double[] x = [106, 86, 100, 101, 99, 103, 97, 113, 112, 110];
        double[] y = [7, 0, 27, 50, 28, 29, 20, 12, 6, 17];
        Assert.Equal(-29.0 / 165, Correlation.Spearman(x, y), 14);
        var d = Correlation.AverageRanks(x).Zip(Correlation.AverageRanks(y), (a, b) => (a - b) * (a - b)).Sum();
        Assert.Equal(1 - (6 * d / (10 * 99)), Correlation.Spearman(x, y), 14);
    }

    [Fact]
    public void Equal_values_share_the_mean_of_their_ranks()
    {
        Assert.Equal([4, 1.5, 1.5, 3], Correlation.AverageRanks([9, 1, 1, 2]));
        Assert.Equal([2, 2, 2], Correlation.AverageRanks([5, 5, 5]));
        Assert.Equal([3.5, 1, 3.5, 3.5, 3.5, 6], Correlation.AverageRanks([0, -1, 0, -0.0, 0, 1]));

        // The example of scipy's manual: spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) = 0.82078.
        Assert.Equal(0.8207826816681233, Correlation.Spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]), 14);
    }

    [Fact]
    public void A_line_correlates_fully_and_a_rising_curve_by_rank_only()
    {
        double[] x = [1, 2, 3, 4, 5, 6];
        var curve = x.Select(v => Math.Exp(2 * v)).ToArray();
        Assert.Equal(1, Correlation.Pearson(x, x.Select(v => (3 * v) - 7).ToArray()), 15);
        Assert.Equal(-1, Correlation.Pearson(x, x.Select(v => -v).ToArray()), 15);
        Assert.Equal(1, Correlation.Spearman(x, curve), 15);
        Assert.InRange(Correlation.Pearson(x, curve), 0.5, 0.9);
    }

    [Fact]
    public void A_large_common_offset_costs_no_digits()
    {
        double[] x = [1, 2, 3, 4];
        double[] y = [2, 1, 4, 3];
        Assert.Equal(0.6, Correlation.Pearson(x.Select(v => v + 1e9).ToArray(), y.Select(v => v - 1e9).ToArray()), 12);
    }

    [Fact]
    public void Constant_or_diverged_series_correlate_with_nothing()
    {
        double[] x = [1, 2, 3];
        foreach (var y in new double[][] { [4, 4, 4], [0.1, 0.1, 0.1], [1, double.NaN, 3], [double.NaN, double.NaN, double.NaN], [1, 2, double.PositiveInfinity], [1, 1e300, -1e300] })
        {
            Assert.Equal(0, Correlation.Pearson(x, y));
        }

        Assert.Equal(0, Correlation.Spearman(x, [4, 4, 4]));
        Assert.Equal(0, Correlation.Spearman(x, [1, double.NaN, 3]));
        Assert.Equal(0, Correlation.Pearson([1], [1]));
        Assert.Equal(0, Correlation.Spearman([1], [1]));
    }

    [Fact]
    public void Empty_and_unequal_series_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Correlation.Pearson([], []));
        Assert.Throws<ArgumentException>(() => Correlation.Spearman([], []));
        Assert.Contains("2 and 1", Assert.Throws<ArgumentException>(() => Correlation.Pearson([1, 2], [1])).Message);
        Assert.Throws<ArgumentException>(() => Correlation.Spearman([1], [1, 2]));
    }

    [Fact]
    public void The_order_of_rows_and_a_scale_change_no_correlation()
    {
        var random = CounterRandom.Of(3, RandomPurpose.SampleText);
        for (var round = 0; round < 100; round++)
        {
            // Few distinct values, so that there are ties.
            var rows = Enumerable.Range(0, 3 + round).Select(_ => (X: Math.Floor(6 * random.NextDouble()), Y: Math.Floor(6 * random.NextDouble()))).ToArray();
            var other = rows.Select(row => (row, Key: random.NextDouble())).OrderBy(p => p.Key).Select(p => p.row).ToArray();
            var (x, y) = (rows.Select(r => r.X).ToArray(), rows.Select(r => r.Y).ToArray());
            var (x2, y2) = (other.Select(r => 5 + (2 * r.X)).ToArray(), other.Select(r => r.Y).ToArray());
            Assert.Equal(Correlation.Pearson(x, y), Correlation.Pearson(x2, y2), 12);
            Assert.Equal(Correlation.Spearman(x, y), Correlation.Spearman(x2, y2), 12);
            Assert.Equal(Correlation.Spearman(x, y), Correlation.Spearman(y, x), 12);
        }
    }
}
