using ActorTrainer.He.Approximation;

namespace ActorTrainer.He.Circuits;

/// <summary>How large Σ cₖ·Tₖ and its slope get on [−1, 1], for estimates of noise.</summary>
internal static class ChebyshevBounds
{
    /// <summary>The largest size of a value, on a grid that no peak of such a degree slips through.</summary>
    public static double Peak(IReadOnlyList<double> coefficients)
    {
        var points = 4 * coefficients.Count;
        return Enumerable.Range(0, points + 1).Max(i => Math.Abs(ChebyshevSeries.Clenshaw(coefficients, Math.Cos(Math.PI * i / points))));
    }

    /// <summary>The largest size of the slope.</summary>
    public static double Slope(IReadOnlyList<double> coefficients)
    {
        // p' = Σ dₖ·Tₖ with dₖ₋₁ = dₖ₊₁ + 2k·cₖ, and half of that for d₀.
        var slope = new double[coefficients.Count + 1];
        for (var k = coefficients.Count - 1; k > 0; k--)
        {
            slope[k - 1] = slope[k + 1] + (2 * k * coefficients[k]);
        }

        slope[0] /= 2;
        return Peak(slope);
    }
}
