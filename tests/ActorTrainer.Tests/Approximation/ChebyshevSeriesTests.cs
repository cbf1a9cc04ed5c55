using System.Text.Json;
using ActorTrainer.He.Approximation;
using Xunit;

namespace ActorTrainer.Tests.Approximation;

public class ChebyshevSeriesTests
{
    [Fact]
    public void A_series_is_the_sum_of_its_Chebyshev_polynomials()
    {
        var random = new Random(1);
        var series = new ChebyshevSeries(-3, 5, [.. Enumerable.Range(0, 20).Select(_ => (2 * random.NextDouble()) - 1)]);
        for (var x = -3.0; x <= 5; x += 0.125)
        {
            var angle = Math.Acos((x - 1) / 4);
            var sum = series.Coefficients.Select((c, k) => c * Math.Cos(k * angle)).Sum();
            Assert.Equal(sum, series.Evaluate(x), 1e-12);
        }
    }

    [Fact]
    public void Interpolation_gives_a_polynomial_of_the_degree_back()
    {
        var series = ChebyshevFit.Interpolate(x => (4 * x * x * x) - (2 * x) + 7, -2, 6, 5);
        Assert.Equal(5, series.Degree);
        Assert.Equal(0, series.Coefficients[4], 1e-10);
        Assert.Equal(0, series.Coefficients[5], 1e-10);
        Assert.True(ChebyshevFit.MaxError(series, x => (4 * x * x * x) - (2 * x) + 7) < 1e-10);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(4, 3)]
    [InlineData(15, 4)]
    [InlineData(27, 5)]
    [InlineData(63, 6)]
    [InlineData(64, 7)]
    [InlineData(127, 7)]
    [InlineData(128, 8)]
    public void Depth_is_the_logarithm_of_degree_plus_one_rounded_up(int degree, int depth)
    {
        Assert.Equal(depth, ChebyshevSeries.DepthOf(degree));
        Assert.Equal(depth, (int)Math.Ceiling(Math.Log2(degree + 1)));
    }

    [Fact]
    public void The_measured_error_is_the_true_peak_and_counts_the_ends()
    {
        // 1 − x² against 0 peaks inside, in a point of no grid; x⁹ against 0 at both ends.
        var zero = new ChebyshevSeries(-1, 2, [0]);
        Assert.Equal(1, ChebyshevFit.MaxError(zero, x => 1 - Math.Pow(x - 0.1234567, 2) < 0 ? 0 : 1 - Math.Pow(x - 0.1234567, 2)), 1e-12);
        Assert.Equal(512, ChebyshevFit.MaxError(zero, x => Math.Pow(x, 9)), 1e-9);
    }

    [Fact]
    public void A_function_that_is_not_a_number_somewhere_has_no_small_error()
    {
        var error = ApproximationError.Measure(x => x > 0.5 ? double.NaN : 0, _ => 0, 0, 1);
        Assert.True(double.IsNaN(error.Absolute));
    }

    [Fact]
    public void Outside_its_domain_a_series_grows_like_its_highest_power()
    {
        var tanh = ChebyshevFit.Interpolate(Math.Tanh, -5, 5, 63);
        Assert.True(Math.Abs(tanh.Evaluate(5) - 1) < 1e-3);
        Assert.True(Math.Abs(tanh.Evaluate(10)) > 1e9);
        Assert.True(Math.Abs(tanh.Evaluate(20)) > 1e9 * Math.Abs(tanh.Evaluate(10)));
    }

    [Fact]
    public void Equal_numbers_make_equal_series_and_the_list_given_is_copied()
    {
        var numbers = new[] { 1.0, 2, 3 };
        var series = new ChebyshevSeries(0, 1, numbers);
        numbers[1] = 9;
        Assert.Equal(new ChebyshevSeries(0, 1, [1, 2, 3]), series);
        Assert.Equal(new ChebyshevSeries(0, 1, [1, 2, 3]).GetHashCode(), series.GetHashCode());
        Assert.NotEqual(new ChebyshevSeries(0, 1, [1, 2, 4]), series);
        Assert.NotEqual(new ChebyshevSeries(0, 2, [1, 2, 3]), series);
    }

    [Fact]
    public void JSON_keeps_every_bit()
    {
        var random = new Random(2);
        var values = Enumerable.Range(0, 500).Select(_ => BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue)))
            .Where(double.IsFinite).Append(double.Epsilon).Append(-0.0).Append(double.MaxValue).Append(0.1).ToList();
        var series = new ChebyshevSeries(0.1, 1.0 / 3, values);
        var back = JsonSerializer.Deserialize<ChebyshevSeries>(JsonSerializer.Serialize(series))!;
        Assert.Equal(series, back);
        Assert.Equal(values.Select(BitConverter.DoubleToInt64Bits), back.Coefficients.Select(BitConverter.DoubleToInt64Bits));
    }

    [Theory]
    [InlineData("""{"Low":1,"High":1,"Coefficients":[1]}""")]
    [InlineData("""{"Low":2,"High":1,"Coefficients":[1]}""")]
    [InlineData("""{"Low":0,"High":1,"Coefficients":[]}""")]
    [InlineData("""{"Low":0,"High":1,"Coefficients":null}""")]
    public void A_file_with_an_unusable_series_is_refused(string json)
    {
        Assert.Throws<ArgumentException>(() => JsonSerializer.Deserialize<ChebyshevSeries>(json));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(double.NaN, 1)]
    [InlineData(0, double.NaN)]
    [InlineData(double.NegativeInfinity, 0)]
    public void A_domain_that_is_none_is_refused_everywhere(double low, double high)
    {
        Assert.Throws<ArgumentException>(() => new ChebyshevSeries(low, high, [1]));
        Assert.Throws<ArgumentException>(() => ChebyshevFit.Interpolate(Math.Exp, low, high, 3));
        Assert.Throws<ArgumentException>(() => MinimaxFit.Fit(Math.Exp, low, high, 3));
        Assert.Throws<ArgumentException>(() => MinimaxFit.FitOdd(Math.Tanh, low, high, 3));
        Assert.Throws<ArgumentException>(() => ApproximationError.Measure(Math.Exp, Math.Exp, low, high));
        Assert.Throws<ArgumentException>(() => FunctionFits.Exp(low, high, 15));
        Assert.Throws<ArgumentException>(() => FunctionFits.ExpForError(low, high, 1));
        Assert.Throws<ArgumentException>(() => FunctionFits.Reciprocal(low, high, 15));
        Assert.Throws<ArgumentException>(() => FunctionFits.InverseRoot(low, high));
    }

    [Fact]
    public void Coefficients_degrees_and_functions_that_are_not_numbers_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ChebyshevSeries(0, 1, []));
        Assert.Throws<ArgumentException>(() => new ChebyshevSeries(0, 1, [double.NaN]));
        Assert.Throws<ArgumentException>(() => ChebyshevFit.Interpolate(Math.Log, -1, 1, 4));
        Assert.Throws<ArgumentException>(() => ChebyshevFit.Interpolate(Math.Exp, -1, 1, -1));
        Assert.Throws<ArgumentException>(() => ChebyshevFit.Interpolate(Math.Exp, -1, 1, ChebyshevSeries.MaxDegree + 1));
    }
}
