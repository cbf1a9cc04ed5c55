using ActorTrainer.He.Approximation;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Circuits;

/// <summary>
/// x → slope·x + offset, the map of a domain onto what a circuit computes in. It takes one level, and none where the slope is a whole number.
/// A program whose input comes from a plain product saves that level: it folds the slope into the product, adds the offset, and gives the
/// circuit what is mapped already.
/// </summary>
public readonly record struct AffineMap(double Slope, double Offset)
{
    private const double LargestWholeSlope = 1 << 20;

    public static AffineMap Identity => new(1, 0);

    /// <summary>Levels.</summary>
    public int Depth => IsWhole ? 0 : 1;

    private bool IsWhole => double.IsInteger(Slope) && Math.Abs(Slope) <= LargestWholeSlope;

    /// <summary>A series' domain onto [−1, 1].</summary>
    public static AffineMap Onto(ChebyshevSeries series) =>
        new(2 / (series.High - series.Low), -(series.High + series.Low) / (series.High - series.Low));

    public double At(double x) => (Slope * x) + Offset;

    /// <summary>This map after x is divided.</summary>
    public AffineMap After(double divisor) => new(Slope / divisor, Offset);

    /// <summary>At <paramref name="x"/>'s level less <see cref="Depth"/>; at the canonical scale where that is one.</summary>
    /// <param name="magnitude">A bound on the result.</param>
    public Ciphertext Apply(Evaluator evaluator, Ciphertext x, double magnitude = 1)
    {
        using var product = Slope == 1 ? evaluator.DropTo(x, x.Level) : IsWhole ? evaluator.Multiply(x, (long)Slope) : evaluator.Multiply(x, Slope);
        using var scaled = Depth == 0 ? evaluator.DropTo(product, x.Level) : evaluator.Rescale(product);
        return Shifted(evaluator, scaled).WithMagnitude(magnitude);
    }

    /// <summary>The coefficients of a series followed by this map.</summary>
    public double[] Of(ChebyshevSeries series)
    {
        var (slope, offset) = (Slope, Offset);
        return [.. series.Coefficients.Select((c, k) => (slope * c) + (k == 0 ? offset : 0))];
    }

    private Ciphertext Shifted(Evaluator evaluator, Ciphertext scaled) =>
        Offset == 0 ? evaluator.DropTo(scaled, scaled.Level) : evaluator.Add(scaled, Offset);
}
