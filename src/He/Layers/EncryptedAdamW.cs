using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>Settings of the optimiser that do not change from step to step.</summary>
/// <param name="Beta1">Decay of the mean of gradients.</param>
/// <param name="Beta2">Decay of the mean of squares.</param>
/// <param name="Epsilon">Inside the root.</param>
/// <param name="WeightDecay">Decoupled, times the learning rate.</param>
public sealed record AdamWSettings(double Beta1, double Beta2, double Epsilon, double WeightDecay);

/// <summary>Packed weights and moments; owned by whoever holds them.</summary>
public sealed record AdamWPack(Ciphertext Weights, Ciphertext Mean, Ciphertext Square) : IDisposable
{
    public void Dispose()
    {
        Weights.Dispose();
        Mean.Dispose();
        Square.Dispose();
    }
}

/// <summary>
/// AdamW with ε inside the root, on packed ciphertexts (arXiv 2410.02486, section 4): m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ·(1 − γλ) − γ·m̂·(v̂ + ε)^(−1/2), with m̂ = m/(1−β₁^t), v̂ = v/(1−β₂^t).
/// Constants fold into products that are there anyway. Two levels of the moments, and a refresh for the root.
/// </summary>
/// <param name="root">Of v̂ + ε.</param>
/// <param name="name">For sites of refreshes.</param>
public sealed class EncryptedAdamW(AdamWSettings settings, FunctionCircuit root, string name)
{
    /// <summary>Of v, which becomes v̂ + ε by the step's 1/(1−β₂^t); slots without a weight are zero, and have to be in the domain too.</summary>
    public IEnumerable<SiteRange> Ranges => SiteRange.OfParts(name, root).Prepend(SiteRange.Of(SquareSite, root, offset: settings.Epsilon) with { Decay = settings.Beta2 });

    private string SquareSite => $"{name}.square";

    /// <summary>After step number <paramref name="step"/>, counted from 1; everything at <paramref name="level"/>.</summary>
    /// <param name="gradient">Packed.</param>
    /// <param name="decays">For each slot, one where weights decay and zero where they do not (biases).</param>
    public AdamWPack Step(TensorMath math, AdamWPack state, Ciphertext gradient, IReadOnlyList<double> decays, double learningRate, long step, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        var (correction1, correction2) = (1 - Math.Pow(settings.Beta1, step), 1 - Math.Pow(settings.Beta2, step));
        using var g = math.At(gradient, level + 2, $"{name}.gradient");
        using var squares = math.Product(g, g);
        var square = Weighted(math, state.Square, settings.Beta2, squares, level);
        var mean = Weighted(math, state.Mean, settings.Beta1, g, level);
        // 1/(1−β₂^t) and the domain's map onto [−1, 1] in one product.
        using var lifted = math.At(square, root.StartOfParts(level + 1) + 1, SquareSite);
        using var scaled = math.Product(lifted, root.Map.Slope / correction2);
        using var mapped = math.Evaluator.Add(scaled, root.Map.Offset + (root.Map.Slope * settings.Epsilon));
        using var inverse = root.EvaluateInParts(math.Evaluator, mapped.WithMagnitude(1), level + 1, (x, at, part) => math.At(x, at, $"{name}.{part}"));
        using var high = math.At(mean, level + 2, $"{name}.mean");
        using var direction = math.Product(high, -learningRate / correction1);
        using var update = math.Product(direction, inverse);
        using var before = math.At(state.Weights, level + 1, $"{name}.weights");
        using var decayed = math.Evaluator.Multiply(before, new PlainVector(decays.Select(d => 1 - (learningRate * settings.WeightDecay * d))));
        using var kept = math.Evaluator.Rescale(decayed);
        return new AdamWPack(math.Evaluator.Add(kept, update), mean, square);
    }

    /// <summary>β·moment + (1−β)·fresh.</summary>
    private Ciphertext Weighted(TensorMath math, Ciphertext moment, double beta, Ciphertext fresh, int level)
    {
        using var former = math.At(moment, level + 1, $"{name}.moment");
        using var latter = math.At(fresh, level + 1, $"{name}.fresh");
        using var first = math.Product(former, beta);
        using var second = math.Product(latter, 1 - beta);
        return math.Evaluator.Add(first, second);
    }
}
