using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Scheme;

/// <summary>Variances of the error of one coefficient, in units of the scaled message, for independent errors and a uniform ternary secret.</summary>
internal static class NoiseModel
{
    /// <summary>Rounding of a coefficient to a whole number.</summary>
    public const double Rounding = 1.0 / 12;

    /// <summary>e + rounding of the encoding.</summary>
    public static double Symmetric => Samplers.ErrorVariance + Rounding;

    /// <summary>v·e + e₀ + e₁·s, v and s ternary.</summary>
    public static double Public(CkksParameters parameters) => (Samplers.ErrorVariance * (1 + (2 * parameters.Degree * Samplers.TernaryVariance))) + Rounding;

    /// <summary>Rounding both parts after a division, the second of which is multiplied by the secret.</summary>
    public static double Division(CkksParameters parameters) => Rounding * (1 + (parameters.Degree * Samplers.TernaryVariance));

    /// <summary>Key switching at a level: <see cref="KeyProducts"/> and the division.</summary>
    public static double KeySwitch(CkksParameters parameters, int level) => KeyProducts(parameters, level) + Division(parameters);

    /// <summary>Switching to the sparse secret mod q₀·p₀ and back: the errors of the first key come through, as its special prime is no larger than q₀.</summary>
    public static double Encapsulation(CkksParameters parameters)
    {
        var ratio = (double)parameters.Chain[0].Value / parameters.Special[0].Value;
        return (ratio * ratio * Rounding * parameters.Degree * Samplers.ErrorVariance) + Rounding + Division(parameters);
    }

    /// <summary>Errors of the key times centred digits, as they are after a division by P.</summary>
    public static double KeyProducts(CkksParameters parameters, int level)
    {
        var special = parameters.Special.Sum(p => p.Bits);
        double sum = 0;
        for (var j = 0; j < parameters.DigitCount(level); j++)
        {
            var (start, end) = parameters.Digit(j, level);
            var bits = Enumerable.Range(start, end - start).Sum(i => parameters.Chain[i].Bits);
            sum += Math.Pow(2, 2 * (bits - special)) * Rounding * parameters.Degree * Samplers.ErrorVariance;
        }

        return sum;
    }

    /// <summary>Of (m₁ + e₁)·(m₂ + e₂): the messages' slots are within their magnitudes times their scales.</summary>
    public static double Product(double variance1, double size1, double variance2, double size2, int degree) =>
        (variance1 * size2 * size2) + (variance2 * size1 * size1) + (variance1 * variance2 * degree);
}
