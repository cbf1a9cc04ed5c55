using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>A learned tensor under its state-dict name.</summary>
/// <param name="Name">Name in the published state dict, e.g. <c>encoder.layers.0.norm1.weight</c>.</param>
/// <param name="Value">Leaf tensor that requires a gradient.</param>
/// <param name="Decay">Whether weight decay applies (not for biases, norms and the position scale).</param>
public sealed record NamedParameter(string Name, Tensor Value, bool Decay);

/// <summary>What a forward pass needs to know besides its inputs; keys of the dropout masks.</summary>
/// <param name="Seed">Seed of the run.</param>
/// <param name="Step">1-based optimiser step.</param>
/// <param name="MicroBatch">Micro-batch of the step.</param>
/// <param name="Training">False: no dropout.</param>
/// <param name="Probe">Shown the input of every function that is no polynomial, null: nobody looks. Changes no value.</param>
/// <param name="Functions">Stands in for these functions, null: the exact ones.</param>
public readonly record struct ForwardContext(
    ulong Seed, long Step, int MicroBatch, bool Training, IInputProbe? Probe = null, IPointFunctions? Functions = null);

/// <summary>
/// The smallest part a model is cut into: the embedding, one encoder layer, or the head with the final norm. A stage owns
/// a run of consecutive units; every unit's initial weights depend on the seed and the unit's index alone.
/// </summary>
public abstract class ModelUnit : IDisposable
{
    protected ModelUnit(int index, string name)
    {
        Index = index;
        Name = name;
    }

    /// <summary>0 = embedding, 1 … L = encoder layers, L + 1 = head.</summary>
    public int Index { get; }

    /// <summary><c>embedding</c>, <c>layers.0</c> …, <c>head</c>.</summary>
    public string Name { get; }

    /// <summary>Learned tensors in canonical order. The head's decoder is not among them: the embedding owns the tied table.</summary>
    public abstract IReadOnlyList<NamedParameter> Parameters { get; }

    /// <summary>Tensors that are not learned here but belong to the model: the base under LoRA. Names as in the published state dict.</summary>
    public virtual IReadOnlyList<NamedParameter> Frozen => [];

    /// <summary>Frees the tensors.</summary>
    public virtual void Dispose()
    {
        foreach (var parameter in Parameters.Concat(Frozen))
        {
            parameter.Value.grad?.Dispose();
            parameter.Value.Dispose();
        }

        GC.SuppressFinalize(this);
    }
}
