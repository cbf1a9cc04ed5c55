using ActorTrainer.He.Circuits;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Training;

/// <summary>An encoder layer with encrypted adapters on queries, keys and values; its own weights are in the clear.</summary>
public sealed class EncryptedLayerUnit : EncryptedUnit
{
    private readonly EncoderLayer _layer;
    private readonly AdapterLayout _layout;

    /// <param name="name">For sites of refreshes: the unit's name.</param>
    /// <param name="shifts">Of the layout's packing; layers share one.</param>
    /// <param name="scale">α/r.</param>
    /// <param name="root">The optimiser's inverse root.</param>
    public EncryptedLayerUnit(string name, AdapterLayout layout, TokenShifts shifts, EncoderWeights weights, double scale, AdamWSettings settings, FunctionCircuit root)
        : base(name, layout, settings, root, EncoderLayer.AdapterLevel)
    {
        _layout = layout;
        _layer = new EncoderLayer(layout.Packing, shifts, weights, scale, name);
    }

    /// <inheritdoc/>
    public override IEnumerable<SiteRange> Ranges => _layer.Ranges.Concat(base.Ranges);

    /// <summary>The layer's output, and what backward needs.</summary>
    public (Activation Output, EncoderLayer.Tape Tape) Forward(TensorMath math, Activation x, IReadOnlyList<Ciphertext> mask) =>
        _layer.Forward(math, x, Adapters(math), mask);

    /// <summary>Adds to the gradients of the adapters; frees nothing.</summary>
    /// <returns>The gradient of x if it is wanted.</returns>
    public Activation? Backward(TensorMath math, EncoderLayer.Tape tape, Activation gradient, bool wantsInput)
    {
        var (terms, input) = _layer.Backward(math, tape, gradient, Adapters(math), wantsInput);
        Accumulate(math, [.. terms.SelectMany(adapter => adapter).SelectMany(vector => vector.Parts)]);
        return input;
    }

    private LowRank[] Adapters(TensorMath math)
    {
        var (weights, hidden, at) = (Weights(math), _layout.Packing.Hidden, 0);
        return [.. "qkv".Select(which => new LowRank(Vectors(), Vectors(), $"{Name}.{which}.adapter"))];

        Activation[] Vectors() => [.. Enumerable.Range(0, _layout.Rank).Select(_ => new Activation(hidden, [.. Enumerable.Range(0, hidden.Ciphertexts).Select(_ => weights[at++])]))];
    }
}
