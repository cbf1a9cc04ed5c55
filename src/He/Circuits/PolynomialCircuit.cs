using ActorTrainer.He.Approximation;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Circuits;

/// <summary>
/// p_n(… p₁(x/divisor)): Chebyshev series one after the other. Levels: Σ ⌈log₂(dᵢ+1)⌉, and one for the map of the first domain onto [−1, 1]
/// if there is one; maps of all later domains are folded into the coefficients before them.
/// </summary>
public sealed class PolynomialCircuit : FunctionCircuit
{
    private readonly double[][] _coefficients;
    private readonly double _magnitude;

    /// <param name="parts">In the order of application; each has values in the next one's domain.</param>
    /// <param name="divisor">What inputs are divided by before the first.</param>
    public PolynomialCircuit(IReadOnlyList<ChebyshevSeries> parts, double divisor = 1)
        : this(parts, divisor, AffineMap.Identity)
    {
    }

    /// <param name="last">Follows the last part, at no cost.</param>
    internal PolynomialCircuit(IReadOnlyList<ChebyshevSeries> parts, double divisor, AffineMap last)
        : base(
            $"A composition of {parts.Count} polynomials of degree {string.Join(", ", parts.Select(p => p.Degree))}",
            AffineMap.Onto(parts[0]).After(divisor), parts.Sum(Levels))
    {
        _coefficients = [.. parts.Select((part, i) => (i + 1 < parts.Count ? AffineMap.Onto(parts[i + 1]) : last).Of(part))];
        _magnitude = ApproximationError.Peak(x => Math.Abs(last.At(CompositeSign.Compose(parts, x))), parts[0].Low, parts[0].High, 1024);
    }

    /// <summary>A composition with a circuit for each polynomial, to be refreshed between; each gives what the next one takes as mapped.</summary>
    /// <param name="last">Follows the last part, at no cost.</param>
    internal static PolynomialCircuit[] InParts(IReadOnlyList<ChebyshevSeries> parts, AffineMap last) =>
        [.. parts.Select((part, i) => new PolynomialCircuit([part], 1, i + 1 < parts.Count ? AffineMap.Onto(parts[i + 1]) : last))];

    private protected override Ciphertext Compute(Evaluator evaluator, Ciphertext t) => Compute(evaluator, t, null);

    /// <param name="scale">Of the result; when null, the canonical one of its level.</param>
    internal Ciphertext Compute(Evaluator evaluator, Ciphertext t, Scale? scale)
    {
        var value = evaluator.DropTo(t, t.Level);
        for (var i = 0; i < _coefficients.Length; i++)
        {
            using var before = value;
            var last = i == _coefficients.Length - 1;
            value = ChebyshevEvaluation.Evaluate(evaluator, before, _coefficients[i], last ? _magnitude : 1, last ? scale : null);
        }

        return value;
    }

    /// <summary>A constant or a line takes a level too: the product with its coefficient.</summary>
    private static int Levels(ChebyshevSeries part) => Math.Max(1, part.Depth);
}
