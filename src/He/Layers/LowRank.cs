using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>
/// B·(A·x) with encrypted A and B (Hu et al., arXiv 2106.09685): row r of A and column r of B are activations that say the same for every token and example. u = A·x and v = Bᵀ·g
/// stand in every place. Gradients dA_r = Σ v_r·x and dB_r = Σ u_r·g are left as terms for every token and example, which are summed once a step. Two levels each way.
/// </summary>
/// <param name="down">Rows of A.</param>
/// <param name="up">Columns of B.</param>
/// <param name="name">For sites of refreshes.</param>
public sealed class LowRank(IReadOnlyList<Activation> down, IReadOnlyList<Activation> up, string name)
{
    /// <summary>Level that weights need for products of two, of which the last ends one above the lowest. What they are multiplied with may be higher, and falls to it.</summary>
    public const int Level = 3;

    /// <summary>u_r for each r.</summary>
    public Ciphertext[] Inner(TensorMath math, Activation x)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        return Dots(math, down, x, "down");
    }

    /// <summary>y plus B·u, at the level of the product or of y, whichever is lower.</summary>
    public Activation AddTo(TensorMath math, Activation y, IReadOnlyList<Ciphertext> u)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        using var product = Combine(math, up, u, "up");
        return math.Add(y, product);
    }

    /// <summary>Terms of the gradients, and Aᵀ·v for the gradient of x.</summary>
    /// <param name="x">Input of forward.</param>
    /// <param name="u">Of forward.</param>
    /// <param name="gradient">Of the result.</param>
    /// <param name="wantsInput">Whether the gradient of x is wanted.</param>
    public (Activation[] Down, Activation[] Up, Activation? Input) Backward(TensorMath math, Activation x, IReadOnlyList<Ciphertext> u, Activation gradient, bool wantsInput)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        var v = Dots(math, up, gradient, "up");
        var downs = Array.ConvertAll(v, dot => math.Multiply(x, dot));
        Activation[] ups = [.. u.Select(dot => math.Multiply(gradient, dot))];
        var input = wantsInput ? Combine(math, down, v, "down") : null;
        Array.ForEach(v, dot => dot.Dispose());
        return (downs, ups, input);
    }

    private Ciphertext[] Dots(TensorMath math, IReadOnlyList<Activation> vectors, Activation x, string which) => [.. vectors.Select((vector, r) =>
    {
        using var weights = math.At(vector, Math.Min(math.LevelOf(x), Level), $"{name}.{which}.{r}");
        using var products = math.Multiply(weights, x);
        return math.SumFeatures(products);
    })];

    private Activation Combine(TensorMath math, IReadOnlyList<Activation> vectors, IReadOnlyList<Ciphertext> factors, string which)
    {
        var parts = Enumerable.Range(0, vectors[0].Parts.Count).Select(c => math.SumOfProducts(factors.Select((factor, r) =>
            (math.At(vectors[r].Parts[c], Math.Min(math.LevelOf(factor), Level - 1), $"{name}.{which}.{r}.{c}"), factor)), freeFirst: true)).ToArray();
        return new Activation(vectors[0].Layout, parts);
    }
}
