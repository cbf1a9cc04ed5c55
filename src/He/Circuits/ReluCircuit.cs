using ActorTrainer.He.Approximation;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Circuits;

/// <summary>
/// max(x, 0) ≈ x·(½ + ½·sign(x/bound)) on [−bound, bound]. Levels: those of the sign's parts, one for the product, and one for x/bound; ½ + ½·s is folded
/// into the last part's coefficients, and x is had from t = x/bound by its scale alone.
/// </summary>
public sealed class ReluCircuit : FunctionCircuit
{
    private readonly PolynomialCircuit _gate;
    private readonly double _bound;

    /// <param name="sign">Of <see cref="CompositeSign"/>.</param>
    public ReluCircuit(IReadOnlyList<ChebyshevSeries> sign, double bound)
        : this(new PolynomialCircuit(sign, bound, new AffineMap(0.5, 0.5)), bound)
    {
    }

    private ReluCircuit(PolynomialCircuit gate, double bound)
        : base($"A relu of bound {bound}", gate.Map, gate.MappedDepth + 1) => (_gate, _bound) = (gate, bound);

    private protected override Ciphertext Compute(Evaluator evaluator, Ciphertext t)
    {
        var parameters = evaluator.Parameters;
        var level = parameters.After(t.Level, _gate.MappedDepth);
        // One as a constant of scale slope: the same words stand for t/slope.
        using var product = evaluator.Multiply(t, 1 / Map.Slope, new Scale(Map.Slope));
        using var shifted = Map.Offset == 0 ? evaluator.DropTo(product, level) : evaluator.Add(product, -Map.Offset / Map.Slope);
        using var x = evaluator.DropTo(shifted, level);
        using var gate = _gate.Compute(evaluator, t, parameters.ScaleAt(parameters.Below(level)) * parameters.Divisor(level) / x.Scale);
        return Product(evaluator, x, gate).WithMagnitude(_bound);
    }
}
