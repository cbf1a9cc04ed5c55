using ActorTrainer.He.Approximation;
using ActorTrainer.He.Parameters;
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
        var (parameters, level) = (evaluator.Parameters, t.Level - _start.Depth);
        var prime = Scale.FromInteger(parameters.Chain[level].Value);

        // At the scale of the level below, where it meets 1 + e; −x then has the prime's, so that x·y lands there too.
        using var start = ChebyshevEvaluation.Evaluate(evaluator, t, _start.Coefficients, 1 / _start.Low, parameters.ScaleAt(level - 1));
        using var product = evaluator.Multiply(t, -1 / Map.Slope, prime * Scale.FromInteger(parameters.Chain[t.Level].Value) / t.Scale);
        using var scaled = evaluator.Rescale(product);
        using var shifted = evaluator.Add(scaled, Map.Offset / Map.Slope);
        using var negative = evaluator.DropTo(shifted, level);
        using var near = Product(evaluator, negative, start);
        var (e, y, error) = (evaluator.Add(near, 1.0).WithMagnitude(_error), evaluator.DropTo(start, level - 1), _error);
        for (var step = 1; ; step++)
        {
            using var former = e;
            using var before = y;
            using var next = evaluator.Add(former, 1.0);
            using var dropped = evaluator.DropTo(before, former.Level);
            y = Product(evaluator, dropped, next).WithMagnitude(1 / _start.Low);
            if (step == _steps)
            {
                return y;
            }

            error *= error;
            e = Product(evaluator, former, former).WithMagnitude(error);
        }
    }
}
