using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Actors.Evaluation;

/// <summary>All units of a fine-tuned model, without optimisers. Units of another checkpoint are read into the same tensors, where they differ.</summary>
internal sealed class EvaluatedUnits : IDisposable
{
    /// <summary>Before the name of a unit: the object that it is based on.</summary>
    public const string Base = "base/";

    private readonly IReadOnlyList<ModelUnit> _units;
    private readonly Dictionary<string, (string? Base, string? State)> _loaded = [];

    /// <summary>Takes over units in order: embedding, layers, head.</summary>
    public EvaluatedUnits(IReadOnlyList<ModelUnit> units)
    {
        _units = units;
    }

    /// <summary>Units without weights of use yet.</summary>
    public static EvaluatedUnits Build(BertConfig arch, FineTuneShape shape, bool bf16, Device device) => new(
        [.. Enumerable.Range(0, UnitFactory.Count(arch)).Select(index => UnitFactory.Create(arch, index, 0, device: device, bf16: bf16, fineTune: shape))]);

    /// <summary>Reads a checkpoint's units. Learned tensors come from a unit's state or, where it has none, from its base; others from the base.</summary>
    /// <exception cref="RefusedException">An object or a tensor is missing or has another shape; the units are of no use then.</exception>
    public void Load(IReadOnlyDictionary<string, string> objects, IObjectStore store)
    {
        foreach (var unit in _units)
        {
            var wanted = (Base: objects.GetValueOrDefault(Base + unit.Name), State: objects.GetValueOrDefault(unit.Name));
            var known = _loaded.GetValueOrDefault(unit.Name);
            if (_loaded.Remove(unit.Name) && wanted == known)
            {
                _loaded[unit.Name] = known;
                continue;
            }

            Read(unit.Parameters, wanted.State ?? wanted.Base, unit.Name, store);
            if (wanted.Base is null || wanted.Base != known.Base)
            {
                Read(unit.Frozen, wanted.Base, unit.Name, store);
            }

            _loaded[unit.Name] = wanted;
        }
    }

    /// <summary>[B, S] token ids and mask → [B, outputs].</summary>
    public Tensor Logits(Tensor ids, Tensor mask, ForwardContext context)
    {
        var hidden = ids;
        foreach (var unit in _units)
        {
            hidden = unit switch
            {
                EmbeddingUnit embedding => embedding.Forward(hidden, context),
                EncoderLayerUnit layer => layer.Forward(hidden, mask, context),
                ClassifierHeadUnit head => head.Logits(hidden, context),
                _ => throw new InvalidOperationException($"Unit '{unit.Name}' is of no use in a fine-tuned model."),
            };
        }

        return hidden;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var unit in _units)
        {
            unit.Dispose();
        }
    }

    private static void Read(IReadOnlyList<NamedParameter> tensors, string? hash, string unit, IObjectStore store)
    {
        if (tensors.Count == 0)
        {
            return;
        }

        if (hash is null)
        {
            throw new RefusedException($"The checkpoint has no object with {tensors[0].Name} of unit '{unit}'; it is of another model, or not complete.");
        }

        var header = SafeTensors.Read(store.Verified(hash));
        foreach (var tensor in tensors)
        {
            SafeTensors.LoadInto(header, tensor.Name, tensor.Value);
        }
    }
}
