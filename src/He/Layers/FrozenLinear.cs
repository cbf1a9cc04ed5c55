using ActorTrainer.He.Backends;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>y = W·x + b with plaintext weights, and its transpose for gradients; one level each way.</summary>
public sealed class FrozenLinear
{
    private readonly FeatureLayout _from;
    private readonly FeatureLayout _to;
    private readonly DiagonalMatrix _forward;
    private readonly DiagonalMatrix _backward;
    private readonly Func<int, double>? _bias;
    private readonly string _name;

    /// <param name="weight">Of (feature of y, feature of x).</param>
    /// <param name="bias">Of the feature of y; null for none.</param>
    /// <param name="name">For sites of refreshes.</param>
    public FrozenLinear(FeatureLayout from, FeatureLayout to, Func<int, int, double> weight, Func<int, double>? bias, string name)
    {
        (_from, _to, _bias, _name) = (from, to, bias, name);
        (_forward, _backward) = (SlotMaps.OfWeights(to, from, weight), SlotMaps.OfWeights(from, to, (o, i) => weight(i, o)));
    }

    /// <summary>y at <paramref name="level"/>.</summary>
    public Activation Forward(TensorMath math, Activation x, int level)
    {
        using var input = math.At(x, level + 1, $"{_name}.input");
        var product = math.Transform(input, _forward, _to);
        if (_bias is null)
        {
            return product;
        }

        using (product)
        {
            return math.Shift(product, _bias);
        }
    }

    /// <summary>dx at <paramref name="level"/>.</summary>
    public Activation Backward(TensorMath math, Activation gradient, int level)
    {
        using var input = math.At(gradient, level + 1, $"{_name}.gradient");
        return math.Transform(input, _backward, _from);
    }
}
