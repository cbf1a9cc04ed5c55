using ActorTrainer.He.Approximation;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Circuits;

/// <summary>
/// 1/√x on [low, 1]·M: with u = x/M, a polynomial y₀ ≈ 1/√u, then Newton steps y ← 1.5·y + ((−½·u)·y)·y², and the result is y/√M. Levels: those
/// of the polynomial, 2 a step, and one for the map. −½·u is a plain product of t, which waits levels above; 1/√M is folded into the last step's
/// constants; three products and as many relinearisations a step.
/// </summary>
public sealed class InverseRootCircuit : FunctionCircuit
{
    private readonly double[] _start;
    private readonly int _steps;
    private readonly double _factor;
    private readonly double _magnitude;

    /// <param name="start">1/√u on a domain above zero that ends in 1.</param>
    /// <param name="steps">Each takes a relative error e to about 1.5·e².</param>
    /// <param name="scale">M.</param>
    /// <exception cref="ArgumentException">The domain reaches zero.</exception>
    public InverseRootCircuit(ChebyshevSeries start, int steps, double scale)
        : base($"An inverse root of degree {start.Degree} with {steps} Newton steps", AffineMap.Onto(start).After(scale), start.Depth + (steps * InverseRoot.NewtonDepth))
    {
        Domain.CheckPositive(start.Low, start.High);
        (_steps, _factor, _magnitude) = (steps, 1 / Math.Sqrt(scale), 1 / Math.Sqrt(start.Low));
        _start = new AffineMap(steps == 0 ? _factor : 1, 0).Of(start);
        OfU = AffineMap.Onto(start);
    }

    /// <summary>From u to t.</summary>
    private AffineMap OfU { get; }

    private protected override Ciphertext Compute(Evaluator evaluator, Ciphertext t)
    {
        var y = ChebyshevEvaluation.Evaluate(evaluator, t, _start, _magnitude * (_steps == 0 ? _factor : 1));
        for (var step = 1; step <= _steps; step++)
        {
            using var before = y;
            y = Newton(evaluator, t, before, step == _steps ? _factor : 1);
        }

        return y;
    }

    /// <summary>factor·(1.5·y − ½·u·y³).</summary>
    private Ciphertext Newton(Evaluator evaluator, Ciphertext t, Ciphertext y, double factor)
    {
        var (parameters, level) = (evaluator.Parameters, y.Level);
        Scale Prime(int index) => Scale.FromInteger(parameters.Chain[index].Value);

        // −½·factor·u at the scale that makes the sum land on the canonical one.
        var landing = parameters.ScaleAt(level - 2) * Prime(level) * Prime(level) * Prime(level - 1) / (y.Scale * y.Scale * y.Scale);
        using var product = evaluator.Multiply(t, -0.5 * factor / OfU.Slope, landing * Prime(t.Level) / t.Scale);
        using var scaled = evaluator.Rescale(product);
        using var shifted = evaluator.Add(scaled, 0.5 * factor * OfU.Offset / OfU.Slope);
        using var half = evaluator.DropTo(shifted, level);

        // u·y is √u, at most one.
        using var root = Product(evaluator, half, y);
        using var square = Product(evaluator, y, y);
        using var cube = evaluator.MultiplyLazy(root.WithMagnitude(0.5 * factor), square);
        using var dropped = evaluator.DropTo(y, level - 1);
        using var line = evaluator.Multiply(dropped, 1.5 * factor, cube.Scale / y.Scale);
        using var sum = evaluator.Add(cube, line);
        using var two = evaluator.Relinearise(sum);
        return evaluator.Rescale(two).WithMagnitude(_magnitude * factor);
    }
}
