using ActorTrainer.He.Approximation;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Circuits;

/// <summary>
/// exp(x) = (exp(x/2^k))^(2^k): exp of a small number, then k squarings. Levels: those of the small exponential, k, and one for the map. A relative error
/// of the start is multiplied by 2^k, and so is its noise, where the result is near one.
/// </summary>
public sealed class ExponentialCircuit : FunctionCircuit
{
    private readonly double[]? _start;
    private readonly int _squarings;
    private readonly double _magnitude;

    private ExponentialCircuit(string name, AffineMap map, double[]? start, int squarings, double high)
        : base(name, map, (start is null ? 0 : ChebyshevSeries.DepthOf(start.Length - 1)) + squarings) =>
        (_start, _squarings, _magnitude) = (start, squarings, Math.Exp(Math.ScaleB(high, -squarings)));

    /// <summary>
    /// On [low, high] by the Chebyshev polynomial of exp(x/2^k). Degree 15: 29 bits on [−64, 0] with k = 3, which takes 7 levels from what is mapped.
    /// </summary>
    /// <exception cref="ArgumentException">The domain, the degree or k is unusable.</exception>
    public static ExponentialCircuit ByPolynomial(double low, double high, int degree, int squarings)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(squarings);
        ArgumentOutOfRangeException.ThrowIfLessThan(degree, 1);
        var series = ChebyshevFit.Interpolate(x => Math.Exp(Math.ScaleB(x, -squarings)), low, high, degree);
        return new ExponentialCircuit(
            $"An exponential of degree {degree} with {squarings} squarings", AffineMap.Onto(series), [.. series.Coefficients], squarings, high);
    }

    /// <summary>On [−2^k, 0] as (1 + x/2^k)^(2^k) (<see cref="PowerExponential"/>): k levels from t = 1 + x/2^k.</summary>
    public static ExponentialCircuit ByPower(int squarings)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(squarings, 1);
        return new ExponentialCircuit($"An exponential as a power of 2^{squarings}", new AffineMap(Math.ScaleB(1, -squarings), 1), null, squarings, 0);
    }

    /// <summary>Below zero, powers of t grow again.</summary>
    private protected override double LowestMapped => _start is null ? 0 : -1;

    private protected override Ciphertext Compute(Evaluator evaluator, Ciphertext t)
    {
        var (y, magnitude) = (_start is null ? evaluator.DropTo(t, t.Level) : ChebyshevEvaluation.Evaluate(evaluator, t, _start, _magnitude), _magnitude);
        for (var i = 0; i < _squarings; i++)
        {
            using var before = y;
            magnitude *= magnitude;
            y = Product(evaluator, before, before).WithMagnitude(magnitude);
        }

        return y;
    }
}
