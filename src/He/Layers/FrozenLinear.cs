using ActorTrainer.He.Backends;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>A product with plaintext weights: y = W·x + b.</summary>
/// <param name="To">Layout of y.</param>
/// <param name="Weight">Of (feature of y, feature of x).</param>
/// <param name="Bias">Of the feature of y; null for none.</param>
public sealed record LinearWeights(FeatureLayout To, Func<int, int, double> Weight, Func<int, double>? Bias);

/// <summary>
/// One or several products y_r = W_r·x + b_r of one input with plaintext weights, and the sum of their transposes for the gradient. The input is rotated once for all, and so are sums of gradients.
/// One level each way.
/// </summary>
public sealed class FrozenLinear
{
    private readonly FeatureLayout _from;
    private readonly IReadOnlyList<LinearWeights> _products;
    private readonly DiagonalMatrix _forward;
    private readonly DiagonalMatrix _backward;
    private readonly string _name;

    /// <param name="name">For sites of refreshes.</param>
    public FrozenLinear(FeatureLayout from, IReadOnlyList<LinearWeights> products, string name)
    {
        (_from, _products, _name) = (from, products, name);
        FeatureLayout[] to = [.. products.Select(p => p.To)];
        _forward = SlotMaps.OfBlocks(to, [from], (r, _, o, i) => products[r].Weight(o, i));
        _backward = SlotMaps.OfBlocks([from], to, (_, c, i, o) => products[c].Weight(o, i));
    }

    public FrozenLinear(FeatureLayout from, FeatureLayout to, Func<int, int, double> weight, Func<int, double>? bias, string name)
        : this(from, [new LinearWeights(to, weight, bias)], name)
    {
    }

    /// <summary>y at <paramref name="level"/>, of a single product.</summary>
    public Activation Forward(TensorMath math, Activation x, int level) => ForwardAll(math, x, level)[0];

    /// <summary>dx at <paramref name="level"/>, of a single product.</summary>
    public Activation Backward(TensorMath math, Activation gradient, int level) => BackwardAll(math, [gradient], level);

    /// <summary>Every y_r at <paramref name="level"/>.</summary>
    public Activation[] ForwardAll(TensorMath math, Activation x, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(_name);
        using var input = math.At(x, level + 1, $"{_name}.input");
        var (rows, next) = (math.Transform(input.Parts, _forward), 0);
        return [.. _products.Select(product =>
        {
            var y = new Activation(product.To, rows[next..(next += product.To.Ciphertexts)]);
            return product.Bias is null ? y : Shifted(math, y, product.Bias);
        })];
    }

    /// <summary>dx = Σ W_rᵀ·dy_r at <paramref name="level"/>.</summary>
    public Activation BackwardAll(TensorMath math, IReadOnlyList<Activation> gradients, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(_name);
        Activation[] inputs = [.. gradients.Select((g, r) => math.At(g, level + 1, gradients.Count == 1 ? $"{_name}.gradient" : $"{_name}.gradient.{r}"))];
        var result = math.Transform([.. inputs.SelectMany(input => input.Parts)], _backward);
        Array.ForEach(inputs, input => input.Dispose());
        return new Activation(_from, result);
    }

    private static Activation Shifted(TensorMath math, Activation y, Func<int, double> bias)
    {
        using (y)
        {
            return math.Shift(y, bias);
        }
    }
}
