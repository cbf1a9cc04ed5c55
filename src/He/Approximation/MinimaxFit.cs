namespace ActorTrainer.He.Approximation;

/// <param name="Series">The best polynomial.</param>
/// <param name="LevelledError">The weighted error that it reaches, with alternating sign, in every point of <paramref name="Reference"/>.</param>
/// <param name="MaxError">The largest weighted error found between those points: equal to the levelled one but for the tolerance.</param>
/// <param name="Reference">
/// Ascending. Degree + 2 points; of an odd fit the (degree + 3) / 2 positive ones, their mirror images alternating likewise.
/// </param>
/// <param name="Iterations">Exchanges made.</param>
public sealed record MinimaxResult(
    ChebyshevSeries Series, double LevelledError, double MaxError, IReadOnlyList<double> Reference, int Iterations);

/// <summary>
/// Best polynomials in the sense of the largest (weighted) error, by the multi-point exchange of Remez.
/// With weight 1/|f| the error is the relative one.
/// </summary>
public static class MinimaxFit
{
    // Below this the coefficients' rounding, amplified in the gap between the two intervals, would show there.
    private const double SmallestOddError = 1e-12;

    /// <summary>Minimises max w(x)·|f(x) − p(x)| over [low, high] among the polynomials of the degree.</summary>
    /// <param name="f">Continuous and finite on the domain.</param>
    /// <param name="weight">Above zero on the domain; 1 when null.</param>
    /// <exception cref="ArgumentException">The domain or the degree is unusable.</exception>
    /// <exception cref="FitException">The exchange does not settle.</exception>
    public static MinimaxResult Fit(Func<double, double> f, double low, double high, int degree, Func<double, double>? weight = null)
    {
        Domain.Check(low, high);
        Domain.CheckDegree(degree);
        double At(double angle) => Place(low, high, angle);
        double Weight(double angle) => weight?.Invoke(At(angle)) ?? 1;
        var found = Remez.Solve(angle => Weight(angle) * f(At(angle)), Weight, degree);
        return new MinimaxResult(
            new ChebyshevSeries(low, high, found.Coefficients), found.Levelled, found.Max, [.. found.Angles.Select(At).Reverse()], found.Iterations);
    }

    /// <summary>
    /// Minimises max w(|x|)·|f(x) − p(x)| over [−high, −epsilon] ∪ [epsilon, high] for odd f, among the odd polynomials of the degree.
    /// The series' domain is [−high, high]: it may be evaluated in the gap too, where it rises through zero.
    /// </summary>
    /// <exception cref="ArgumentException">Not 0 &lt; epsilon &lt; high, or the degree is not odd.</exception>
    /// <exception cref="FitException">The exchange does not settle, or the error would be below 1e-12: a lower degree does.</exception>
    public static MinimaxResult FitOdd(Func<double, double> f, double epsilon, double high, int degree, Func<double, double>? weight = null)
    {
        Domain.CheckPositive(epsilon, high);
        Domain.CheckDegree(degree);
        if (degree % 2 == 0)
        {
            throw new ArgumentException($"An odd polynomial has an odd degree; found {degree}.", nameof(degree));
        }

        // An odd polynomial is x·q(x²): fitting q in s = x² is well conditioned however narrow the intervals are.
        var (from, to) = (epsilon * epsilon, high * high);
        double At(double angle) => Math.Clamp(Math.Sqrt(Place(from, to, angle)), epsilon, high);
        double Weight(double x) => weight?.Invoke(x) ?? 1;
        var found = Remez.Solve(angle => Weight(At(angle)) * f(At(angle)), angle => Weight(At(angle)) * At(angle), (degree - 1) / 2);
        if (found.Levelled < SmallestOddError)
        {
            throw new FitException($"An odd polynomial of degree {degree} on ±[{epsilon}, {high}] would err by {found.Levelled:g2} only, "
                + "less than doubles resolve in the gap between; lower the degree or epsilon.");
        }

        double Value(double x) => x * ChebyshevSeries.Clenshaw(found.Coefficients, ((x * x) - from - (to - (x * x))) / (to - from));
        var series = ChebyshevFit.OddPart(ChebyshevFit.Interpolate(Value, -high, high, degree));
        return new MinimaxResult(series, found.Levelled, found.Max, [.. found.Angles.Select(At).Reverse()], found.Iterations);
    }

    private static double Place(double low, double high, double angle) =>
        Math.Clamp((low * Math.Pow(Math.Sin(angle / 2), 2)) + (high * Math.Pow(Math.Cos(angle / 2), 2)), low, high);
}
