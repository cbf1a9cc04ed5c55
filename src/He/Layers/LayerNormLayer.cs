using ActorTrainer.He.Circuits;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>
/// x̂ = (x − mean x)/√(var x + ε) over features; weight and bias belong to what follows, into whose matrices they fold. With r the inverse root,
/// forward x̂ = (x − mean x)·r, backward dx = (g − x̂·mean(g∘x̂) − mean g)·r. Forward takes 2 levels of x, and a refresh of the variances; backward 4 of g.
/// </summary>
/// <param name="layout">Features that are averaged over.</param>
/// <param name="root">Of the variance.</param>
/// <param name="epsilon">ε.</param>
/// <param name="name">For sites of refreshes.</param>
public sealed class LayerNormLayer(FeatureLayout layout, FunctionCircuit root, double epsilon, string name)
{
    /// <summary>What backward needs; owned by whoever holds it.</summary>
    public sealed class Tape(Activation normal, Ciphertext root) : IDisposable
    {
        /// <summary>x̂.</summary>
        public Activation Normal { get; } = normal;

        /// <summary>r.</summary>
        public Ciphertext Root { get; } = root;

        public void Dispose()
        {
            Normal.Dispose();
            Root.Dispose();
        }
    }

    /// <summary>Of the sum of squares, which becomes a variance by 1/features and ε. Every slot counts, padding too: nothing hides it here, and a number far outside wrecks the whole ciphertext.</summary>
    public IEnumerable<SiteRange> Ranges => SiteRange.OfParts(name, root).Prepend(SiteRange.Of($"{name}.variance", root, 1.0 / layout.Features, epsilon));

    /// <summary>x, lifted to where <see cref="Forward"/> begins.</summary>
    public Activation Input(TensorMath math, Activation x, int level) => math.At(x, level + 2, $"{name}.input");

    /// <summary>x̂ at <paramref name="level"/>.</summary>
    public Tape Forward(TensorMath math, Activation x, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        using var input = Input(math, x, level);
        using var mean = Mean(math, input);
        using var centred = math.Subtract(input, mean);
        // The sum is larger than what the lowest level has room for.
        using var low = math.At(centred, 2, $"{name}.centred");
        using var squares = math.Multiply(low, low);
        using var sum = math.SumFeatures(squares);
        // 1/features and the domain's map onto [−1, 1] in one product.
        using var variance = math.At(sum, root.StartOfParts(level + 1) + 1, $"{name}.variance");
        using var scaled = math.Product(variance, root.Map.Slope / layout.Features);
        using var mapped = math.Evaluator.Add(scaled, root.Map.Offset + (root.Map.Slope * epsilon));
        var inverse = root.EvaluateInParts(math.Evaluator, mapped.WithMagnitude(1), level + 1, (x, at, part) => math.At(x, at, $"{name}.{part}"));
        return new Tape(math.Multiply(centred, inverse), inverse);
    }

    /// <summary>dx at <paramref name="level"/>, from the gradient of x̂.</summary>
    public Activation Backward(TensorMath math, Tape tape, Activation gradient, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        using var g = math.At(gradient, level + 4, $"{name}.gradient");
        using var x = math.At(tape.Normal, level + 4, $"{name}.normal");
        using var products = math.Multiply(g, x);
        using var sum = math.SumFeatures(products);
        using var slope = math.Product(sum, 1.0 / layout.Features);
        using var along = math.Multiply(x, slope);
        using var mean = Mean(math, g);
        using var rest = math.Subtract(g, mean);
        using var across = math.Subtract(rest, along);
        using var root = math.At(tape.Root, level + 1, $"{name}.root");
        return math.Multiply(across, root);
    }

    /// <summary>The mean over features in every place that has one; one level.</summary>
    private Activation Mean(TensorMath math, Activation x)
    {
        using var sum = math.SumFeatures(x);
        using var everywhere = new Activation(layout, [.. x.Parts.Select(_ => math.Evaluator.DropTo(sum, sum.Level))]);
        return math.Scale(everywhere, _ => 1.0 / layout.Features);
    }
}
