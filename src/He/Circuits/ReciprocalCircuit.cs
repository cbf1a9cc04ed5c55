using ActorTrainer.He.Approximation;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Circuits;

/// <summary>
/// 1/x by Goldschmidt: a polynomial y ≈ 1/x, e = 1 − x·y, then y ← y·(1 + e) and e ← e² at once, so that the relative error goes from e to e^(2^steps).
/// Levels: those of the polynomial, 1 + steps (Newton's y·(2 − x·y) would take 2·steps), and one for the map. Products beside
/// the polynomial's: 2·steps, each relinearised.
/// </summary>
public sealed class ReciprocalCircuit : FunctionCircuit
{
    private readonly ChebyshevSeries _start;
    private readonly int _steps;
    private readonly double _error;

    /// <param name="start">1/x on a domain above zero.</param>
    /// <exception cref="ArgumentException">The domain reaches zero, or there is no step: a <see cref="PolynomialCircuit"/> does.</exception>
    public ReciprocalCircuit(ChebyshevSeries start, int steps)
        : base($"A reciprocal of degree {start.Degree} with {steps} Goldschmidt steps", AffineMap.Onto(start), start.Depth + 1 + steps)
    {
        Domain.CheckPositive(start.Low, start.High);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        (_start, _steps) = (start, steps);
        _error = ApproximationError.Peak(x => Math.Abs(1 - (x * start.Evaluate(x))), start.Low, start.High);
    }

    /// <summary>Largest relative error, without the noise of ciphertexts.</summary>
    public double MaxRelativeError => Math.Pow(_error, Math.ScaleB(1, _steps));

    /// <summary>From the polynomial of best relative error.</summary>
    /// <exception cref="ArgumentException">The domain or the degree is unusable.</exception>
    /// <exception cref="FitException">The exchange does not settle.</exception>
    public static ReciprocalCircuit Fit(double low, double high, int degree, int steps)
    {
        Domain.CheckPositive(low, high);
        return new ReciprocalCircuit(MinimaxFit.Fit(x => 1 / x, low, high, degree, x => x).Series, steps);
    }

    private protected override Ciphertext Compute(Evaluator evaluator, Ciphertext t)
    {
        var parameters = evaluator.Parameters;
        var level = parameters.After(t.Level, _start.Depth);
        var below = parameters.Below(level);

        // At the scale of the level below, where it meets 1 + e; −x then has the prime's, so that x·y lands there too.
        using var start = ChebyshevEvaluation.Evaluate(evaluator, t, _start.Coefficients, 1 / _start.Low, parameters.ScaleAt(below));
        using var product = evaluator.Multiply(t, -1 / Map.Slope, parameters.Divisor(level) * parameters.Divisor(t.Level) / t.Scale);
        using var scaled = evaluator.Rescale(product);
        using var shifted = evaluator.Add(scaled, Map.Offset / Map.Slope);
        using var negative = evaluator.DropTo(shifted, level);
        // The first step's slope in y is 2·e, so that the start's own noise all but vanishes.
        var quiet = start.WithNoise(0);
        using var near = Product(evaluator, negative, quiet);
        var (e, y, error) = (evaluator.Add(near, 1.0).WithMagnitude(_error), evaluator.DropTo(quiet, below), _error);
        for (var step = 1; ; step++)
        {
            using var former = e;
            using var before = y;
            using var next = evaluator.Add(former, 1.0);
            using var dropped = evaluator.DropTo(before, former.Level);
            y = Product(evaluator, dropped, next).WithMagnitude(1 / _start.Low);
            if (step == _steps)
            {
                var gain = Math.ScaleB(1, _steps) * MaxRelativeError / _error * y.Scale.High / start.Scale.High;
                return y.WithNoise(y.NoiseVariance + (gain * gain * start.NoiseVariance));
            }

            error *= error;
            e = Product(evaluator, former, former).WithMagnitude(error);
        }
    }
}
