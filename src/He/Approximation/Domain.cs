namespace ActorTrainer.He.Approximation;

/// <summary>The checks that every fit makes of what it is asked for.</summary>
internal static class Domain
{
    /// <exception cref="ArgumentException">An end is not finite, or the interval is empty or inverted.</exception>
    public static void Check(double low, double high)
    {
        if (!double.IsFinite(low) || !double.IsFinite(high) || !(low < high))
        {
            throw new ArgumentException($"A domain needs finite ends with low < high; found [{low}, {high}].");
        }
    }

    /// <exception cref="ArgumentException">As <see cref="Check"/>, or the interval reaches zero or below.</exception>
    public static void CheckPositive(double low, double high)
    {
        Check(low, high);
        if (low <= 0)
        {
            throw new ArgumentException($"The domain must lie above zero; found [{low}, {high}].");
        }
    }

    public static void CheckPositive(double value, string name)
    {
        if (!double.IsFinite(value) || value <= 0)
        {
            throw new ArgumentException($"A finite number above zero is needed; found {value}.", name);
        }
    }

    public static void CheckDegree(int degree)
    {
        if (degree is < 0 or > ChebyshevSeries.MaxDegree)
        {
            throw new ArgumentException($"A degree between 0 and {ChebyshevSeries.MaxDegree} is needed; found {degree}.", nameof(degree));
        }
    }
}
