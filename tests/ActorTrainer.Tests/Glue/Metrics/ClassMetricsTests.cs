using ActorTrainer.Model.Glue;
using CsCheck;
using Xunit;

namespace ActorTrainer.Tests.Glue.Metrics;

public class ClassMetricsTests
{
    [Fact]
    public void Binary_metrics_equal_their_published_formulas()
    {
        // 6 true negatives, 1 false positive, 2 false negatives, 3 true positives.
        int[][] confusion = [[6, 1], [2, 3]];
        const double tn = 6, fp = 1, fn = 2, tp = 3;
        Assert.Equal(9.0 / 12, ClassMetrics.Accuracy(confusion), 15);
        var (precision, recall) = (tp / (tp + fp), tp / (tp + fn));
        Assert.Equal(2 * precision * recall / (precision + recall), ClassMetrics.F1(confusion), 14);
        Assert.Equal(2.0 / 3, ClassMetrics.F1(confusion), 14);
        var mcc = ((tp * tn) - (fp * fn)) / Math.Sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
        Assert.Equal(mcc, ClassMetrics.Matthews(confusion), 14);
        Assert.Equal(16 / Math.Sqrt(4 * 5 * 7 * 8), ClassMetrics.Matthews(confusion), 14);
    }

    [Fact]
    public void Matthews_of_the_example_in_the_scikit_learn_manual_is_minus_a_third()
    {
        // y_true = [+1, +1, +1, -1], y_pred = [+1, -1, +1, +1]: −0.33…
        var confusion = ClassMetrics.Confusion([1, 1, 1, 0], [1, 0, 1, 1], 2);
        Assert.Equal([[0, 1], [1, 2]], confusion);
        Assert.Equal(-1.0 / 3, ClassMetrics.Matthews(confusion), 15);
    }

    [Fact]
    public void Of_three_classes_Matthews_is_the_correlation_of_their_indicators()
    {
        int[] truth = [0, 0, 1, 1, 2, 2, 2, 1];
        int[] predicted = [0, 1, 1, 1, 2, 0, 2, 2];
        double Covariance(int[] x, int[] y) => Enumerable.Range(0, 3).Sum(c =>
            Enumerable.Range(0, 8).Average(i => ((x[i] == c ? 1 : 0) - (x.Count(v => v == c) / 8.0)) * ((y[i] == c ? 1 : 0) - (y.Count(v => v == c) / 8.0))));
        var expected = Covariance(truth, predicted) / Math.Sqrt(Covariance(truth, truth) * Covariance(predicted, predicted));
        Assert.Equal(expected, ClassMetrics.Matthews(ClassMetrics.Confusion(truth, predicted, 3)), 14);
    }

    [Theory]
    [InlineData(new[] { 0, 1, 0, 1 }, new[] { 1, 1, 1, 1 }, 0.5, 2.0 / 3, 0)]
    [InlineData(new[] { 0, 1, 0, 1 }, new[] { 0, 0, 0, 0 }, 0.5, 0, 0)]
    [InlineData(new[] { 0, 0 }, new[] { 0, 0 }, 1, 0, 0)]
    [InlineData(new[] { 1, 1 }, new[] { 1, 1 }, 1, 1, 0)]
    [InlineData(new[] { 0, 1, 1 }, new[] { 0, 1, 1 }, 1, 1, 1)]
    [InlineData(new[] { 0, 1, 1 }, new[] { 1, 0, 0 }, 0, 0, -1)]
    [InlineData(new[] { 1 }, new[] { 0 }, 0, 0, 0)]
    public void Degenerate_predictions_have_defined_metrics(int[] truth, int[] predicted, double accuracy, double f1, double matthews)
    {
        var confusion = ClassMetrics.Confusion(truth, predicted, 2);
        Assert.Equal(accuracy, ClassMetrics.Accuracy(confusion));
        Assert.Equal(f1, ClassMetrics.F1(confusion), 15);
        Assert.Equal(matthews, ClassMetrics.Matthews(confusion));
    }

    [Fact]
    public void No_rows_unequal_lengths_and_strange_classes_are_refused()
    {
        Assert.Contains("no rows", Assert.Throws<ArgumentException>(() => ClassMetrics.Confusion([], [], 2)).Message);
        Assert.Contains("each of 2 rows, found 1", Assert.Throws<ArgumentException>(() => ClassMetrics.Confusion([0, 1], [0], 2)).Message);
        Assert.Contains("Row 1", Assert.Throws<ArgumentException>(() => ClassMetrics.Confusion([0, 2], [0, 1], 2)).Message);
        Assert.Contains("Row 0", Assert.Throws<ArgumentException>(() => ClassMetrics.Confusion([0, 1], [-1, 1], 2)).Message);
        Assert.Throws<ArgumentException>(() => ClassMetrics.Matthews([[0, 0], [0, 0]]));
        Assert.Throws<ArgumentException>(() => ClassMetrics.F1([[1, 0], [0, 1]], positive: 2));
    }

    [Fact]
    public void Large_counts_do_not_overflow()
    {
        int[][] confusion = [[2_000_000_000, 100_000_000], [100_000_000, 2_000_000_000]];
        Assert.Equal(20.0 / 21, ClassMetrics.Accuracy(confusion), 15);
        Assert.Equal(20.0 / 21, ClassMetrics.F1(confusion), 15);
        Assert.Equal(19.0 / 21, ClassMetrics.Matthews(confusion), 14);
    }

    [Fact]
    public void The_order_of_rows_changes_no_metric() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2]).Array[1, 40].SelectMany(rows => Gen.Shuffle(rows.ToArray()).Select(other => (rows, other))).Sample(pair =>
        {
            var (a, b) = (Matrix(pair.rows), Matrix(pair.other));
            return ClassMetrics.Matthews(a) == ClassMetrics.Matthews(b) && ClassMetrics.F1(a) == ClassMetrics.F1(b)
                && ClassMetrics.Accuracy(a) == ClassMetrics.Accuracy(b) && Math.Abs(ClassMetrics.Matthews(a)) <= 1 + 1e-12;
        }, seed: "0000000000000", iter: 500);

    private static int[][] Matrix((int True, int Predicted)[] rows) =>
        ClassMetrics.Confusion(rows.Select(r => r.True).ToArray(), rows.Select(r => r.Predicted).ToArray(), 3);
}
