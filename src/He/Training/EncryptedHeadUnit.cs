using ActorTrainer.He.Circuits;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Training;

/// <summary>What a classifier head is made of besides its learned weights.</summary>
public sealed record HeadBase
{
    /// <summary>The final norm's weight, of the feature.</summary>
    public required IReadOnlyList<double> NormWeight { get; init; }

    public required IReadOnlyList<double> NormBias { get; init; }

    /// <summary>ε of the norm.</summary>
    public required double Epsilon { get; init; }

    /// <summary>The norm's inverse root.</summary>
    public required FunctionCircuit Root { get; init; }

    public required FunctionCircuit Tanh { get; init; }

    public required IEncryptedLoss Loss { get; init; }
}

/// <summary>Final norm, encrypted pooler and head, and the gradient of the loss.</summary>
public sealed class EncryptedHeadUnit : EncryptedUnit
{
    /// <summary>Level of outputs: none is left, so that the owner, who lifts them for the loss, sees them.</summary>
    private const int OutputLevel = 0;

    private readonly ClassifierHead _head;
    private readonly HeadShape _shape;
    private readonly IEncryptedLoss _loss;

    /// <param name="name">For sites of refreshes: the unit's name.</param>
    /// <param name="parts">What it is made of.</param>
    /// <param name="root">The optimiser's inverse root.</param>
    public EncryptedHeadUnit(string name, HeadLayout layout, HeadBase parts, AdamWSettings settings, FunctionCircuit root)
        : base(name, layout, settings, root, ClassifierHead.WeightLevel)
    {
        (_shape, _loss) = (layout.Shape, parts.Loss);
        var norm = new LayerNormLayer(layout.Packing.Hidden, parts.Root, parts.Epsilon, $"{name}.norm");
        _head = new ClassifierHead(layout.Shape, norm, f => parts.NormWeight[f], f => parts.NormBias[f], parts.Tanh, name);
    }

    /// <summary>Site where the owner lifts an output in training, and so sees it.</summary>
    public static string OutputSite(string unit, int output, bool isRegression) => $"{LossOf(unit)}.{(isRegression ? "output" : "exp")}.{output}";

    /// <summary>Name of a unit's loss.</summary>
    public static string LossOf(string unit) => $"{unit}.loss";

    /// <inheritdoc/>
    public override IEnumerable<SiteRange> Ranges => [.. _head.Ranges, .. _loss.Ranges(_shape.Outputs), .. base.Ranges];

    /// <summary>Each output of each example, in every place and token; and what backward needs.</summary>
    public (Ciphertext[] Outputs, ClassifierHead.Tape Tape) Forward(TensorMath math, Activation x) => _head.Forward(math, x, _shape.Weights(Weights(math)), OutputLevel);

    /// <summary>Adds to the gradients of pooler and head.</summary>
    /// <param name="outputs">Of <see cref="Forward"/>.</param>
    /// <param name="targets">One for each output: one-hot, or the number itself.</param>
    /// <param name="scale">Factor of the loss: 1 / examples of the step.</param>
    /// <returns>The gradient of x.</returns>
    public Activation Backward(TensorMath math, ClassifierHead.Tape tape, IReadOnlyList<Ciphertext> outputs, IReadOnlyList<Ciphertext> targets, double scale)
    {
        var gradient = _loss.Gradient(math, outputs, targets, scale, ClassifierHead.GradientLevel);
        var (terms, input) = _head.Backward(math, tape, _shape.Weights(Weights(math)), gradient, 0);
        Array.ForEach(gradient, g => g.Dispose());
        Accumulate(math, [.. terms.All]);
        return input;
    }
}
