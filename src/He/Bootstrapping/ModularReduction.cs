using ActorTrainer.He.Approximation;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Bootstrapping;

/// <summary>
/// t → t mod 1 near whole numbers, |t| ≤ K + 1/R: the distance of t to the next whole number, where that is at most 1/R. With t' = t − ¼ (Han, Ki 2020; Bossuat and others 2021, section 4):
/// c = cos(2π·t'/2^r) by the best even polynomial for small whole numbers before large ones, c ← 2c² − 1 r times, which leaves sin(2π·t), and arcsin of that by the best odd polynomial. An even polynomial of degree 2d in x is one of degree d
/// in T₂(x) = 2x² − 1, which takes the same levels and about half of the products.
/// </summary>
public sealed class ModularReduction
{
    /// <summary>Room beyond K: a quarter for the turn of the sine into a cosine, a quarter for the message.</summary>
    private const double Margin = 0.5;

    /// <summary>The cosine's error grows as exp(t²/(2·4²)): whole numbers near zero are by far the most frequent (their deviation is 1.7), and those at K = 16 hardly ever come.</summary>
    private const double Spread = 4;

    private readonly double[] _cosine;
    private readonly double[] _arcsine;

    /// <param name="bound">K: the largest size of the whole numbers.</param>
    /// <param name="ratio">R: one over the largest distance to a whole number, at least 4.</param>
    /// <param name="cosineDegree">Even: of the polynomial in x.</param>
    /// <param name="doublings">r.</param>
    /// <param name="arcsineDegree">Odd; 1 for none, which leaves the sine.</param>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public ModularReduction(int bound, double ratio, int cosineDegree, int doublings, int arcsineDegree)
    {
        if (bound < 1 || ratio < 4 || cosineDegree < 2 || cosineDegree % 2 != 0 || doublings is < 0 or > 8 || arcsineDegree < 1 || arcsineDegree % 2 == 0)
        {
            throw new ArgumentException($"Expected K ≥ 1, R ≥ 4, an even degree of the cosine, 0 to 8 doublings and an odd degree of the arcsine; found {bound}, {ratio}, {cosineDegree}, {doublings}, {arcsineDegree}.");
        }

        (Bound, Ratio, Doublings) = (bound, ratio, doublings);
        Range = bound + Margin;
        // In u = T₂(x) the even function has no symmetry left, so that the exchange finds its points by itself.
        double Turned(double u) => Range * Math.Sqrt(Math.Max(0, (u + 1) / 2));
        _cosine = [.. MinimaxFit.Fit(u => Math.Cos(2 * Math.PI * Turned(u) / (1 << doublings)), -1, 1, cosineDegree / 2, u => Math.Exp(-Math.Pow(Turned(u) / Spread, 2) / 2)).Series.Coefficients];
        _arcsine = Arcsine(Math.Sin(2 * Math.PI / ratio), arcsineDegree);
        Error = RootMeanSquare(whole => (At(whole + (1 / ratio)) - (1 / ratio)) * ratio);
    }

    /// <summary>K.</summary>
    public int Bound { get; }

    /// <summary>R.</summary>
    public double Ratio { get; }

    /// <summary>r.</summary>
    public int Doublings { get; }

    /// <summary>What t is divided by before the circuit: its input is x = t/<see cref="Range"/>.</summary>
    public double Range { get; }

    /// <summary>The polynomials' own error, root mean square over the whole numbers of a sparse secret, for distances of 1/R and relative to them.</summary>
    public double Error { get; }

    /// <summary>Levels that it takes.</summary>
    public int Depth => 1 + ChebyshevEvaluation.Depth(_cosine.Length - 1) + Doublings + (_arcsine.Length == 2 ? 1 : ChebyshevEvaluation.Depth(_arcsine.Length - 1));

    /// <summary>What the circuit computes, in the clear.</summary>
    public double At(double t)
    {
        var x = (t - 0.25) / Range;
        var c = ChebyshevSeries.Clenshaw(_cosine, (2 * x * x) - 1);
        for (var i = 0; i < Doublings; i++)
        {
            c = (2 * c * c) - 1;
        }

        return ChebyshevSeries.Clenshaw(_arcsine, c);
    }

    /// <param name="x">t/<see cref="Range"/>, real, at any scale.</param>
    /// <param name="gain">What the distances to whole numbers are multiplied by.</param>
    /// <returns>gain·(t mod 1) at <paramref name="x"/>'s level less <see cref="Depth"/>, at that level's canonical scale.</returns>
    /// <exception cref="MisuseException">Too few levels are left.</exception>
    /// <exception cref="MissingKeyException">No relinearisation key up to this level.</exception>
    public Ciphertext Evaluate(Evaluator evaluator, Ciphertext x, double gain)
    {
        using var turned = evaluator.Add(x, -0.25 / Range).WithMagnitude(1);
        using var u = Doubled(evaluator, turned);
        var c = ChebyshevEvaluation.Evaluate(evaluator, u, _cosine);
        for (var i = 0; i < Doublings; i++)
        {
            using var half = c;
            c = Doubled(evaluator, half);
        }

        using (c)
        {
            var result = ChebyshevEvaluation.Evaluate(evaluator, c, [.. _arcsine.Select(a => gain * a)], gain / Ratio);
            return result.WithNoise(Noise(x, u, result, gain));
        }
    }

    /// <summary>
    /// Bounds on the slopes of the parts multiply to far more than the slope of the whole, which is 1. The input's noise comes through by that; of the parts the square counts most, since t' = Range·√((u + 1)/2)
    /// changes by Range²/(4t') times what u does.
    /// </summary>
    private double Noise(Ciphertext x, Ciphertext u, Ciphertext result, double gain)
    {
        var (parameters, prime) = (x.Parameters, x.Parameters.Divisor(x.Level).High);
        var square = NoiseModel.Division(parameters) + (4 * NoiseModel.KeySwitch(parameters, x.Level) / (prime * prime));
        var (direct, turned) = (gain * Range * result.Scale.High / x.Scale.High, gain * Range * Range * RootMeanSquare(whole => 1 / (4 * (whole - 0.25))) * result.Scale.High / u.Scale.High);
        var own = gain / Ratio * Error * result.Scale.High;
        return (x.NoiseVariance * direct * direct) + (2 * square * turned * turned) + (own * own / parameters.Degree);
    }

    /// <summary>Over the whole numbers of a sparse secret, which are near normal.</summary>
    private double RootMeanSquare(Func<int, double> value)
    {
        var weights = Enumerable.Range(-Bound, (2 * Bound) + 1).Select(whole => (Whole: whole, Weight: Math.Exp(-whole * whole / ((EncapsulationParameters.Weight + 1) / 6.0)))).ToArray();
        return Math.Sqrt(weights.Sum(w => w.Weight * Math.Pow(value(w.Whole), 2)) / weights.Sum(w => w.Weight));
    }

    /// <summary>2c² − 1.</summary>
    private static Ciphertext Doubled(Evaluator evaluator, Ciphertext c)
    {
        using var square = evaluator.Square(c);
        using var twice = evaluator.Multiply(square, 2);
        using var shifted = evaluator.Add(twice, -1.0);
        return evaluator.Rescale(shifted).WithMagnitude(1);
    }

    /// <summary>arcsin(y)/2π for |y| ≤ <paramref name="most"/>, best in relative error: y·g(y²) in the Chebyshev basis of [−1, 1].</summary>
    private static double[] Arcsine(double most, int degree)
    {
        static double Quotient(double square) => square < 1e-12 ? 1 + (square / 6) : Math.Asin(Math.Sqrt(square)) / Math.Sqrt(square);
        var end = most * most;
        var quotient = degree == 1 ? null : MinimaxFit.Fit(Quotient, 0, end, (degree - 1) / 2).Series;
        double Value(double y) => y / (2 * Math.PI) * (quotient is null ? 1 : ChebyshevSeries.Clenshaw(quotient.Coefficients, (2 * y * y / end) - 1));
        double[] coefficients = [.. ChebyshevFit.Interpolate(Value, -1, 1, degree).Coefficients];
        for (var i = 0; i < coefficients.Length; i += 2)
        {
            coefficients[i] = 0;
        }

        return coefficients;
    }
}
