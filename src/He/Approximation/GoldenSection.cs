namespace ActorTrainer.He.Approximation;

/// <summary>Golden-section search: needs no derivative, so kinks do not matter.</summary>
internal static class GoldenSection
{
    private const double Ratio = 0.6180339887498949;

    /// <summary>A local maximum of f between a and b.</summary>
    public static (double At, double Value) Maximum(Func<double, double> f, double a, double b, int steps = 32)
    {
        var (left, right) = (b - (Ratio * (b - a)), a + (Ratio * (b - a)));
        var (atLeft, atRight) = (f(left), f(right));
        for (var step = 0; step < steps; step++)
        {
            if (atLeft >= atRight)
            {
                (b, right, atRight) = (right, left, atLeft);
                left = b - (Ratio * (b - a));
                atLeft = f(left);
            }
            else
            {
                (a, left, atLeft) = (left, right, atRight);
                right = a + (Ratio * (b - a));
                atRight = f(right);
            }
        }

        return atLeft >= atRight ? (left, atLeft) : (right, atRight);
    }
}
