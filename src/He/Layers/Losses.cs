using ActorTrainer.He.Circuits;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>The gradient of a loss from a head's outputs and encrypted targets. The loss itself is for the owner to see, who decrypts outputs.</summary>
public interface IEncryptedLoss
{
    /// <summary>Of each output, times <paramref name="scale"/>, at <paramref name="level"/>.</summary>
    /// <param name="outputs">One for each class, or one.</param>
    /// <param name="targets">One for each output, in the same slots.</param>
    Ciphertext[] Gradient(TensorMath math, IReadOnlyList<Ciphertext> outputs, IReadOnlyList<Ciphertext> targets, double scale, int level);

    /// <summary>Where outputs, and what is made of them, have to lie.</summary>
    /// <param name="outputs">How many there are.</param>
    IEnumerable<SiteRange> Ranges(int outputs);
}

/// <summary>Cross-entropy: softmax − onehot, with exponential and reciprocal by polynomials.</summary>
/// <param name="exp">On outputs.</param>
/// <param name="reciprocal">On sums of exponentials.</param>
/// <param name="name">For sites of refreshes.</param>
public sealed class CrossEntropyLoss(FunctionCircuit exp, FunctionCircuit reciprocal, string name) : IEncryptedLoss
{
    private string SumSite => $"{name}.sum";

    /// <inheritdoc/>
    public IEnumerable<SiteRange> Ranges(int outputs) => Enumerable.Range(0, outputs).Select(o => SiteRange.Of(ExpSite(o), exp)).Append(SiteRange.Of(SumSite, reciprocal));

    /// <inheritdoc/>
    public Ciphertext[] Gradient(TensorMath math, IReadOnlyList<Ciphertext> outputs, IReadOnlyList<Ciphertext> targets, double scale, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        var exponentials = outputs.Select((output, o) =>
        {
            using var lifted = math.At(output, exp.Depth + level + 2, ExpSite(o));
            return exp.Evaluate(math.Evaluator, lifted);
        }).ToArray();
        using var sum = math.Sum(exponentials);
        using var lifted = math.At(sum, reciprocal.Depth + level + 2, SumSite);
        using var inverse = reciprocal.Evaluate(math.Evaluator, lifted);
        return [.. exponentials.Select((e, o) =>
        {
            using (e)
            {
                using var probability = math.Product(e, inverse);
                using var target = math.At(targets[o], level + 1, $"{name}.target.{o}");
                using var difference = math.Evaluator.Subtract(probability, target);
                return math.Product(difference, scale);
            }
        })];
    }

    private string ExpSite(int o) => $"{name}.exp.{o}";
}

/// <summary>Squared error: 2·(output − target).</summary>
/// <param name="name">For sites of refreshes.</param>
public sealed class SquaredLoss(string name) : IEncryptedLoss
{
    /// <summary>Nothing: no function has a domain here.</summary>
    public IEnumerable<SiteRange> Ranges(int outputs) => [];

    /// <inheritdoc/>
    public Ciphertext[] Gradient(TensorMath math, IReadOnlyList<Ciphertext> outputs, IReadOnlyList<Ciphertext> targets, double scale, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        return
        [
            .. outputs.Select((output, o) =>
            {
                using var lifted = math.At(output, level + 1, $"{name}.output.{o}");
                using var target = math.At(targets[o], level + 1, $"{name}.target.{o}");
                using var difference = math.Evaluator.Subtract(lifted, target);
                return math.Product(difference, 2 * scale);
            }),
        ];
    }
}
