namespace ActorTrainer.He.Approximation;

/// <summary>
/// 1/√x on (0, M]: a polynomial of best relative error in x/M on [low, 1], then Newton steps y ← 1.5·y − 0.5·(x/M)·y³,
/// each of which takes a relative error e to about 1.5·e²; the result is divided by √M.
/// </summary>
public static class InverseRoot
{
    /// <summary>Levels of one Newton step: (0.5·x·y)·(y²).</summary>
    public const int NewtonDepth = 2;

    /// <summary>The polynomial of best relative error on [low, 1].</summary>
    /// <exception cref="ArgumentException">Not 0 &lt; low &lt; 1, or the degree is unusable.</exception>
    /// <exception cref="FitException">The exchange does not settle.</exception>
    public static MinimaxResult Fit(double low, int degree)
    {
        Domain.CheckPositive(low, 1);
        return MinimaxFit.Fit(x => 1 / Math.Sqrt(x), low, 1, degree, Math.Sqrt);
    }

    public static double Newton(double x, double y) => (1.5 * y) - (0.5 * x * y * (y * y));

    /// <summary>1/√x from the polynomial's value in x/scale.</summary>
    public static double Evaluate(ChebyshevSeries start, int newton, double scale, double x)
    {
        var u = x / scale;
        var y = start.Evaluate(u);
        for (var step = 0; step < newton; step++)
        {
            y = Newton(u, y);
        }

        return y / Math.Sqrt(scale);
    }
}
