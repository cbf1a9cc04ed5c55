namespace ActorTrainer.He.Approximation;

/// <summary>
/// The largest errors found on a dense grid: absolute, and relative to the true value
/// (where that is zero or too small for a quotient, the point does not count).
/// </summary>
public readonly record struct ApproximationError(double Absolute, double Relative)
{
    private const double Smallest = 1e-300;

    /// <summary>
    /// Measures on <paramref name="points"/> even steps and as many Chebyshev steps (dense at the ends, which are included),
    /// and climbs from the worst of each to the peak beside it.
    /// </summary>
    /// <exception cref="ArgumentException">The domain is empty, inverted or not finite.</exception>
    public static ApproximationError Measure(
        Func<double, double> approximation, Func<double, double> exact, double low, double high, int points = 4096)
    {
        Domain.Check(low, high);
        double Absolute(double x) => Math.Abs(approximation(x) - exact(x));
        double Relative(double x)
        {
            var truth = Math.Abs(exact(x));
            return truth < Smallest ? 0 : Math.Min(double.MaxValue, Absolute(x) / truth);
        }

        return new ApproximationError(Peak(Absolute, low, high, points), Peak(Relative, low, high, points));
    }

    /// <summary>The worse of both, each for itself.</summary>
    public ApproximationError Or(ApproximationError other) =>
        new(Math.Max(Absolute, other.Absolute), Math.Max(Relative, other.Relative));

    /// <summary>The largest value of f found in [low, high].</summary>
    internal static double Peak(Func<double, double> f, double low, double high, int points = 4096)
    {
        double Even(int i) => i == points ? high : low + ((high - low) * i / points);
        double Bunched(int i) => i == points ? high : low + ((high - low) * Math.Pow(Math.Sin(Math.PI * i / (2 * points)), 2));
        return Math.Max(PeakOn(f, Even, points), PeakOn(f, Bunched, points));
    }

    private static double PeakOn(Func<double, double> f, Func<int, double> grid, int points)
    {
        var (best, at) = (double.NegativeInfinity, 0);
        for (var i = 0; i <= points; i++)
        {
            var value = f(grid(i));
            if (!(value <= best)) // a NaN is the worst there is
            {
                (best, at) = (value, i);
            }
        }

        return double.IsNaN(best) ? best
            : Math.Max(best, GoldenSection.Maximum(f, grid(Math.Max(0, at - 1)), grid(Math.Min(points, at + 1))).Value);
    }
}
