using ActorTrainer.He.Approximation;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Circuits;

/// <summary>
/// 1/√x on [low, 1]·M: with u = x/M, a polynomial y₀ ≈ 1/√u, then Newton steps y ← 1.5·y + ((−½·u)·y)·y², and the result is y/√M. Levels: those
/// of the polynomial, 2 a step, and one for the map. −½·u is a plain product of t, which waits levels above; 1/√M is folded into the last step's
/// constants; three products and as many relinearisations a step.
/// </summary>
public sealed class InverseRootCircuit : FunctionCircuit
{
    private const string StartPart = "root.start";
    private const string NewtonPart = "root.newton";

    /// <summary>Level of the start: the lowest one holds numbers up to a hundred or so, and 1/√u is larger where the domain is wide.</summary>
    private const int StartLevel = 1;

    private readonly double[] _start;
    private readonly int _steps;
    private readonly int _depth;
    private readonly double _factor;
    private readonly double _magnitude;
    private readonly double _error;
    private readonly AffineMap _ofU;

    /// <param name="start">1/√u on a domain above zero that ends in 1.</param>
    /// <param name="steps">Each takes a relative error e to about 1.5·e².</param>
    /// <param name="scale">M.</param>
    /// <exception cref="ArgumentException">The domain reaches zero.</exception>
    public InverseRootCircuit(ChebyshevSeries start, int steps, double scale)
        : base(
            $"An inverse root of degree {start.Degree} with {steps} Newton steps",
            AffineMap.Onto(start).After(scale), start.Depth + (steps * InverseRoot.NewtonDepth))
    {
        Domain.CheckPositive(start.Low, start.High);
        (_steps, _depth, _factor, _magnitude) = (steps, start.Depth, 1 / Math.Sqrt(scale), 1 / Math.Sqrt(start.Low));
        _error = ApproximationError.Peak(u => Math.Abs(1 - (Math.Sqrt(u) * start.Evaluate(u))), start.Low, start.High, 1024);
        _start = new AffineMap(steps == 0 ? _factor : 1, 0).Of(start);
        _ofU = AffineMap.Onto(start);
    }

    /// <summary>t, and the start y₀ ≈ 1/√u of Newton's steps.</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, double Low, double High)> Parts => _steps == 0 ? [] : [(StartPart, -1, 1), (NewtonPart, 1 - _error, _magnitude * (1 + _error))];

    /// <summary>Newton's steps need t one level above their start.</summary>
    public override int StartOfParts(int level) => _steps == 0 ? base.StartOfParts(level) : Math.Max(_depth + StartLevel, level + (_steps * InverseRoot.NewtonDepth) + 1);

    /// <summary>The polynomial down to level 1, then Newton's steps from just as high as they need.</summary>
    /// <inheritdoc/>
    public override Ciphertext EvaluateInParts(Evaluator evaluator, Ciphertext t, int level, Lift lift)
    {
        if (_steps == 0)
        {
            return EvaluateMapped(evaluator, t);
        }

        using var low = lift(t, _depth + StartLevel, StartPart);
        using var start = Start(evaluator, low.WithMagnitude(t.Magnitude));
        var lifted = lift(start, level + (_steps * InverseRoot.NewtonDepth), NewtonPart);
        if (lifted.Level < t.Level)
        {
            return Steps(evaluator, t, lifted);
        }

        // It was lifted higher than asked for.
        using (lifted)
        {
            return Steps(evaluator, t, evaluator.AlignTo(lifted, evaluator.Parameters.Below(t.Level)));
        }
    }

    private protected override Ciphertext Compute(Evaluator evaluator, Ciphertext t) => Steps(evaluator, t, Start(evaluator, t));

    private Ciphertext Start(Evaluator evaluator, Ciphertext t) => ChebyshevEvaluation.Evaluate(evaluator, t, _start, _magnitude * (_steps == 0 ? _factor : 1));

    /// <summary>Newton's steps from y, which is freed.</summary>
    private Ciphertext Steps(Evaluator evaluator, Ciphertext t, Ciphertext y)
    {
        var error = _error;
        for (var step = 1; step <= _steps; step++)
        {
            using var before = y;
            y = Newton(evaluator, t, before, step == _steps ? _factor : 1, error);
            error *= 1.5 * error;
        }

        return y;
    }

    /// <summary>factor·(1.5·y − ½·u·y³).</summary>
    /// <param name="error">Of y, relative.</param>
    private Ciphertext Newton(Evaluator evaluator, Ciphertext t, Ciphertext start, double factor, double error)
    {
        // The slope in y is zero at the root and 3·error beside it, so that y's own noise all but vanishes.
        var (parameters, level, y) = (evaluator.Parameters, start.Level, start.WithNoise(0));
        // −½·factor·u at the scale that makes the sum land on the canonical one.
        var below = parameters.Below(level);
        var landing = parameters.ScaleAt(parameters.Below(below)) * parameters.Divisor(level) * parameters.Divisor(level) * parameters.Divisor(below) / (y.Scale * y.Scale * y.Scale);
        using var product = evaluator.Multiply(t, -0.5 * factor / _ofU.Slope, landing * parameters.Divisor(t.Level) / t.Scale);
        using var scaled = evaluator.Rescale(product);
        using var shifted = evaluator.Add(scaled, 0.5 * factor * _ofU.Offset / _ofU.Slope);
        using var half = evaluator.DropTo(shifted, level);

        // u·y is √u, at most one.
        using var root = Product(evaluator, half, y);
        using var square = Product(evaluator, y, y);
        using var cube = evaluator.MultiplyLazy(root.WithMagnitude(0.5 * factor), square);
        using var dropped = evaluator.DropTo(y, below);
        using var line = evaluator.Multiply(dropped, 1.5 * factor, cube.Scale / y.Scale);
        using var sum = evaluator.Add(cube, line);
        using var two = evaluator.Relinearise(sum);
        var result = evaluator.Rescale(two).WithMagnitude(_magnitude * factor);
        var gain = 3 * error * factor * result.Scale.High / start.Scale.High;
        return result.WithNoise(result.NoiseVariance + (gain * gain * start.NoiseVariance));
    }
}
