using ActorTrainer.He.Approximation;
using Xunit;

namespace ActorTrainer.Tests.Approximation;

public class MinimaxFitTests
{
    public static TheoryData<string, double, double, int> Oscillating => new()
    {
        { "exp", -1, 1, 7 },
        { "abs", -1, 1, 4 },
        { "abs", -1, 1, 10 },
        { "cos", -1, 1, 4 },
        { "tanh", -5, 5, 31 },
        { "root", 0.0005, 1, 15 },
        { "root", 0.0005, 1, 127 },
        { "root", 1e-7, 1, 127 },
    };

    [Theory]
    [MemberData(nameof(Oscillating))]
    public void The_error_takes_its_largest_size_with_alternating_sign_in_degree_plus_two_points(string name, double low, double high, int degree)
    {
        var (f, weight) = Named(name);
        var fit = MinimaxFit.Fit(f, low, high, degree, weight);
        double Error(double x) => weight(x) * (f(x) - fit.Series.Evaluate(x));

        Assert.Equal(degree + 2, fit.Reference.Count);
        Assert.Equal(fit.Reference.Order(), fit.Reference);
        var errors = fit.Reference.Select(Error).ToList();
        Assert.All(errors, e => Assert.InRange(Math.Abs(e), 0.99 * fit.LevelledError, 1.01 * fit.LevelledError));
        Assert.All(errors.Zip(errors.Skip(1), (a, b) => a * b), product => Assert.True(product < 0));

        // Nowhere is it larger, so that by de la Vallée Poussin no polynomial does better than 1 % less.
        var dense = ApproximationError.Measure(x => weight(x) * fit.Series.Evaluate(x), x => weight(x) * f(x), low, high, 20_000);
        Assert.InRange(dense.Absolute, 0.99 * fit.LevelledError, 1.01 * fit.LevelledError);
    }

    [Theory]
    [InlineData(1, 0.278801586)] // closed form, by the tangent parallel to the chord; see the next test
    [InlineData(2, 4.50173884e-2)]
    [InlineData(3, 5.52837e-3)]
    [InlineData(4, 5.46668e-4)]
    public void The_error_of_exp_is_the_known_one(int degree, double error)
    {
        Assert.Equal(error, MinimaxFit.Fit(Math.Exp, -1, 1, degree).LevelledError, error * 1e-5);
    }

    [Fact]
    public void The_best_line_for_exp_is_parallel_to_its_chord()
    {
        var slope = Math.Sinh(1);
        var fit = MinimaxFit.Fit(Math.Exp, -1, 1, 1);
        Assert.Equal((Math.E - slope - (slope - (slope * Math.Log(slope)))) / 2, fit.LevelledError, 1e-9);
        Assert.Equal(slope, fit.Series.Coefficients[1], 1e-6);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(20)]
    public void The_next_power_of_x_is_missed_by_two_to_the_minus_degree(int degree)
    {
        Assert.Equal(Math.ScaleB(1, -degree), MinimaxFit.Fit(x => Math.Pow(x, degree + 1), -1, 1, degree).LevelledError, 1e-12);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(12)]
    [InlineData(24)]
    public void The_error_of_a_simple_pole_is_Chebyshevs(int degree)
    {
        // 1/(x − a): (a − √(a² − 1))^n / (a² − 1), and a − √(a² − 1) = 1/2 for a = 5/4.
        var error = Math.ScaleB(1, -degree) / ((1.25 * 1.25) - 1);
        Assert.Equal(error, MinimaxFit.Fit(x => 1 / (x - 1.25), -1, 1, degree).LevelledError, error * 1e-4);
    }

    [Theory]
    [InlineData(0.04, 1, 15)]
    [InlineData(0.04, 1, 31)]
    [InlineData(0.8, 3, 9)]
    public void The_relative_error_of_the_reciprocal_is_that_of_a_Chebyshev_polynomial(double low, double high, int degree)
    {
        // 1 − x·p(x) is the smallest polynomial of the next degree that is 1 in zero: T scaled to the domain.
        var error = 1 / Math.Cosh((degree + 1) * Math.Acosh((high + low) / (high - low)));
        Assert.Equal(error, MinimaxFit.Fit(x => 1 / x, low, high, degree, x => x).LevelledError, error * 1e-4);
    }

    [Fact]
    public void The_error_of_the_absolute_value_tends_to_Bernsteins_constant()
    {
        Assert.Equal(0.125, MinimaxFit.Fit(Math.Abs, -1, 1, 2).LevelledError, 1e-6);
        Assert.Equal(0.0676208993, MinimaxFit.Fit(Math.Abs, -1, 1, 4).LevelledError, 1e-7);
        Assert.Equal(0.2801694990, 64 * MinimaxFit.Fit(Math.Abs, -1, 1, 64).LevelledError, 1e-4);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.3)]
    public void The_error_of_sign_tends_to_that_of_Eremenko_and_Yuditskii(double gap)
    {
        double Ratio(int m) => MinimaxFit.FitOdd(_ => 1, gap, 1, (2 * m) + 1).LevelledError
            / ((1 - gap) / Math.Sqrt(Math.PI * gap * m) * Math.Pow((1 - gap) / (1 + gap), m));
        Assert.InRange(Ratio(30), 0.93, 1);
        Assert.True(Ratio(10) < Ratio(20) && Ratio(20) < Ratio(30));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.01)]
    public void The_best_line_for_sign_misses_both_ends_alike(double gap)
    {
        var fit = MinimaxFit.FitOdd(_ => 1, gap, 1, 1);
        Assert.Equal((1 - gap) / (1 + gap), fit.LevelledError, 1e-12);
        Assert.Equal(2 / (1 + gap), fit.Series.Evaluate(1), 1e-12);
    }

    [Theory]
    [InlineData(1.0 / 8192, 1, 15)]
    [InlineData(0.04, 1.96, 27)]
    [InlineData(0.9, 1.1, 7)]
    public void An_odd_fit_is_odd_level_on_both_intervals_and_small_between_them(double epsilon, double high, int degree)
    {
        var fit = MinimaxFit.FitOdd(_ => 1, epsilon, high, degree);
        Assert.Equal(degree, fit.Series.Degree);
        Assert.Equal((degree + 3) / 2, fit.Reference.Count);
        Assert.All(fit.Series.Coefficients.Where((_, k) => k % 2 == 0), c => Assert.Equal(0, c));
        var errors = fit.Reference.Select(x => 1 - fit.Series.Evaluate(x)).ToList();
        Assert.All(errors, e => Assert.InRange(Math.Abs(e), 0.99 * fit.LevelledError, 1.01 * fit.LevelledError));
        Assert.All(errors.Zip(errors.Skip(1), (a, b) => a * b), product => Assert.True(product < 0));
        for (var x = 0.0; x <= high; x += high / 10_000)
        {
            Assert.InRange(fit.Series.Evaluate(x), -1e-9, 1 + (1.01 * fit.LevelledError));
            Assert.Equal(-fit.Series.Evaluate(x), fit.Series.Evaluate(-x), 1e-12);
        }
    }

    [Fact]
    public void The_best_polynomial_beats_interpolation()
    {
        var best = MinimaxFit.Fit(Math.Tanh, -5, 5, 31);
        var near = ChebyshevFit.MaxError(ChebyshevFit.Interpolate(Math.Tanh, -5, 5, 31), Math.Tanh);
        Assert.InRange(near / best.LevelledError, 1.01, 4);
    }

    [Fact]
    public void A_polynomial_is_fitted_exactly_and_rounding_ends_the_exchange()
    {
        Assert.True(MinimaxFit.Fit(x => x, -1, 1, 4).MaxError < 1e-14);
        Assert.True(MinimaxFit.Fit(_ => 0, -1, 1, 4).MaxError == 0);
        Assert.True(MinimaxFit.Fit(Math.Exp, -1, 1, 40).MaxError < 1e-13);
    }

    [Fact]
    public void What_has_no_fit_is_refused_with_the_reason()
    {
        Assert.Contains("not finite", Assert.Throws<FitException>(() => MinimaxFit.Fit(Math.Log, -1, 1, 4)).Message);
        Assert.Contains("lower the degree", Assert.Throws<FitException>(() => MinimaxFit.FitOdd(_ => 1, 0.98, 1.02, 27)).Message);
        Assert.Throws<ArgumentException>(() => MinimaxFit.FitOdd(_ => 1, 0.1, 1, 4));
        Assert.Throws<ArgumentException>(() => MinimaxFit.Fit(Math.Exp, -1, 1, -1));
    }

    private static (Func<double, double> F, Func<double, double> Weight) Named(string name) => name switch
    {
        "exp" => (Math.Exp, _ => 1),
        "abs" => (Math.Abs, _ => 1),
        "cos" => (Math.Cos, _ => 1),
        "tanh" => (Math.Tanh, _ => 1),
        "root" => (x => 1 / Math.Sqrt(x), Math.Sqrt),
        _ => throw new ArgumentException(name),
    };
}
