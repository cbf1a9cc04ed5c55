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
}

/// <summary>Cross-entropy: softmax − onehot, with exponential and reciprocal by polynomials.</summary>
/// <param name="exp">On outputs.</param>
/// <param name="reciprocal">On sums of exponentials.</param>
/// <param name="name">For sites of refreshes.</param>
public sealed class CrossEntropyLoss(FunctionCircuit exp, FunctionCircuit reciprocal, string name) : IEncryptedLoss
{
    /// <inheritdoc/>
    public Ciphertext[] Gradient(TensorMath math, IReadOnlyList<Ciphertext> outputs, IReadOnlyList<Ciphertext> targets, double scale, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        var exponentials = outputs.Select((output, o) =>
        {
            using var lifted = math.At(output, exp.Depth + level + 2, $"{name}.exp.{o}");
            return exp.Evaluate(math.Evaluator, lifted);
        }).ToArray();
        using var sum = math.Sum(exponentials);
        using var lifted = math.At(sum, reciprocal.Depth + level + 2, $"{name}.sum");
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
}

/// <summary>Squared error: 2·(output − target).</summary>
/// <param name="name">For sites of refreshes.</param>
public sealed class SquaredLoss(string name) : IEncryptedLoss
{
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
