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

/// <summary>Packed weights and moments, as <see cref="EncryptedAdamW"/> keeps them; owned by whoever holds them.</summary>
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
/// AdamW with ε inside the root, on packed ciphertexts (arXiv 2410.02486, section 4): θ ← θ·(1 − γλ) − γ·m̂·(v̂ + ε)^(−1/2), with m̂ and v̂ the means of g and g² by β₁ and β₂ without their bias.
/// Squares of gradients are near a ciphertext's own noise, and a division by 1 − β₂^t would lift that noise a thousandfold: so the moments are kept without bias and in units of the root's
/// domain, u = v̂/M and w = m̂/√M, M its upper end: u ← ((β₂ − β₂^t)·u + (1 − β₂)·(g/√M)²)/(1 − β₂^t), and w likewise. Constants fold into products that are there anyway.
/// </summary>
/// <param name="root">Of v̂ + ε.</param>
/// <param name="name">For sites of refreshes.</param>
public sealed class EncryptedAdamW(AdamWSettings settings, FunctionCircuit root, string name)
{
    /// <summary>End of the name of the site where moments are lifted.</summary>
    public const string MomentsSite = ".moments";

    /// <summary>End of the name of the site where weights are, if they are lower than the update.</summary>
    public const string WeightsSite = ".weights";

    private readonly double _unit = root.Interval.High;

    /// <summary>Of u, which becomes v̂ + ε by M and ε; slots without a weight are zero, and have to be in the domain too.</summary>
    public IEnumerable<SiteRange> Ranges => SiteRange.OfParts(name, root).Prepend(SiteRange.Of(SquareSite, root, _unit, settings.Epsilon));

    /// <summary>What the mean is divided by: √M.</summary>
    public double MeanUnit => Math.Sqrt(_unit);

    /// <summary>What the square is divided by: M.</summary>
    public double SquareUnit => _unit;

    private string SquareSite => $"{name}.square";

    /// <summary>After step number <paramref name="step"/>, counted from 1; everything at <paramref name="level"/>.</summary>
    /// <param name="gradient">Packed.</param>
    /// <param name="decays">For each slot, one where weights decay and zero where they do not (biases).</param>
    public AdamWPack Step(TensorMath math, AdamWPack state, Ciphertext gradient, IReadOnlyList<double> decays, double learningRate, long step, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        using var raw = math.At(gradient, level + 3, $"{name}.gradient");
        using var g = math.Product(raw, 1 / MeanUnit);
        using var squares = math.Product(g, g);
        var moments = math.At([state.Square, state.Mean], level + 1, $"{name}{MomentsSite}");
        var square = Averaged(math, moments[0], settings.Beta2, squares, step, level);
        var mean = Averaged(math, moments[1], settings.Beta1, g, step, level);
        // M and the domain's map onto [−1, 1] in one product.
        using var lifted = math.At(square, root.StartOfParts(level + 1) + 1, SquareSite);
        using var scaled = math.Product(lifted, root.Map.Slope * SquareUnit);
        using var mapped = math.Evaluator.Add(scaled, root.Map.Offset + (root.Map.Slope * settings.Epsilon));
        using var inverse = root.EvaluateInParts(math.Evaluator, mapped.WithMagnitude(1), level + 1, (x, at, part) => math.At(x, at, $"{name}.{part}"));
        using var high = math.At(mean, level + 2, $"{name}.mean");
        using var direction = math.Product(high, -learningRate * MeanUnit);
        using var update = math.Product(direction, inverse);
        using var before = math.At(state.Weights, level + 1, $"{name}{WeightsSite}");
        using var decayed = math.Evaluator.Multiply(before, new PlainVector(decays.Select(d => 1 - (learningRate * settings.WeightDecay * d))));
        using var kept = math.Evaluator.Rescale(decayed);
        return new AdamWPack(math.Evaluator.Add(kept, update), mean, square);
    }

    /// <summary>((β − β^t)·moment + (1 − β)·fresh)/(1 − β^t): a mean without bias goes on.</summary>
    /// <param name="moment">Freed.</param>
    private Ciphertext Averaged(TensorMath math, Ciphertext moment, double beta, Ciphertext fresh, long step, int level)
    {
        var power = Math.Pow(beta, step);
        using var former = moment;
        using var latter = math.At(fresh, level + 1, $"{name}.fresh");
        using var first = math.Product(former, (beta - power) / (1 - power));
        using var second = math.Product(latter, (1 - beta) / (1 - power));
        return math.Evaluator.Add(first, second);
    }
}
