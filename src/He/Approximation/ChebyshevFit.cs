namespace ActorTrainer.He.Approximation;

/// <summary>Near-best polynomials for smooth functions: interpolation in the roots of a Chebyshev polynomial.</summary>
public static class ChebyshevFit
{
    /// <summary>The polynomial of the degree that agrees with f in the degree + 1 Chebyshev roots of [low, high].</summary>
    /// <exception cref="ArgumentException">The domain or the degree is unusable, or f is not finite somewhere.</exception>
    public static ChebyshevSeries Interpolate(Func<double, double> f, double low, double high, int degree)
    {
        Domain.Check(low, high);
        Domain.CheckDegree(degree);
        var count = degree + 1;
        var values = new double[count];
        for (var i = 0; i < count; i++)
        {
            // cos²+sin² weights keep both ends exact and the nodes symmetric.
            var half = Math.PI * ((2 * i) + 1) / (4 * count);
            values[i] = f((low * Math.Pow(Math.Sin(half), 2)) + (high * Math.Pow(Math.Cos(half), 2)));
            if (!double.IsFinite(values[i]))
            {
                throw new ArgumentException($"The function is not finite everywhere in [{low}, {high}].", nameof(f));
            }
        }

        var coefficients = new double[count];
        for (var k = 0; k < count; k++)
        {
            double sum = 0;
            for (var i = 0; i < count; i++)
            {
                // The angle repeats every 4·count: reducing it in integers keeps it exact.
                sum += values[i] * Math.Cos(Math.PI * (k * ((2L * i) + 1) % (4L * count)) / (2 * count));
            }

            coefficients[k] = sum * (k == 0 ? 1 : 2) / count;
        }

        return new ChebyshevSeries(low, high, coefficients);
    }

    /// <summary>Largest |f − series| over the series' domain; see <see cref="ApproximationError.Measure"/>.</summary>
    public static double MaxError(ChebyshevSeries series, Func<double, double> f) =>
        ApproximationError.Measure(series.Evaluate, f, series.Low, series.High).Absolute;

    /// <summary>The series with the coefficients of even index put to zero: for odd functions, where they are rounding only.</summary>
    internal static ChebyshevSeries OddPart(ChebyshevSeries series) =>
        new(series.Low, series.High, [.. series.Coefficients.Select((c, k) => k % 2 == 0 ? 0 : c)]);
}
