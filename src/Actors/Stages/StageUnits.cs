using System.Buffers.Binary;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using static TorchSharp.torch;

namespace ActorTrainer.Actors.Stages;

/// <summary>The BERT units that one stage owns, each with its optimiser, chunk by chunk.</summary>
internal sealed class StageUnits : IDisposable
{
    private readonly List<List<ModelUnit>> _chunks = [];
    private readonly ulong _seed;
    private readonly bool _holdsHead;

    private StageUnits(ulong seed, bool holdsHead)
    {
        _seed = seed;
        _holdsHead = holdsHead;
    }

    /// <summary>All units with their optimisers, in order of their index.</summary>
    public List<(ModelUnit Unit, AdamW Optimiser)> All { get; } = [];

    /// <summary>The embedding, when this stage owns it.</summary>
    public EmbeddingUnit? Embedding => All.Select(u => u.Unit).OfType<EmbeddingUnit>().SingleOrDefault();

    /// <summary>The head, when this stage owns it.</summary>
    public HeadUnit? Head => All.Select(u => u.Unit).OfType<HeadUnit>().SingleOrDefault();

    /// <summary>The head whose decoder is the embedding's table, when this stage owns it.</summary>
    public MlmHeadUnit? TiedHead => Head as MlmHeadUnit;

    /// <summary>Whether the first part lies here.</summary>
    public bool HoldsEmbedding => All[0].Unit.Index == 0;

    /// <summary>Builds the units of a stage: initial weights from the seed, or committed states from the store.</summary>
    public static StageUnits Build(StageProtocol.Prepare plan, TensorStageRecipe recipe, IObjectStore store, Device device, StageRanges ranges)
    {
        var last = plan.PartSizes.Count - 1;
        var units = new StageUnits(recipe.Seed, last % plan.Stages == plan.Stage);
        try
        {
            for (var part = plan.Stage; part < plan.PartSizes.Count; part += plan.Stages)
            {
                var first = plan.PartSizes.Take(part).Sum();
                units._chunks.Add([.. Enumerable.Range(first, plan.PartSizes[part]).Select(index => units.Add(index, plan, recipe, store, device, ranges))]);
            }

            units.Tie(plan, recipe, store, device);
            return units;
        }
        catch
        {
            units.Dispose();
            throw;
        }
    }

    /// <summary>Whether a chunk is the model's last part.</summary>
    public bool IsLast(int chunk) => _holdsHead && chunk == _chunks.Count - 1;

    /// <summary>Runs the units of a chunk, up to the head's input where the chunk ends with the head.</summary>
    /// <param name="inputs">Token ids or hidden states, and the padding mask where there is padding.</param>
    public Tensor Run(int chunk, IReadOnlyList<Tensor> inputs, ForwardContext context)
    {
        var hidden = inputs[0];
        var mask = inputs.Count > 1 ? inputs[1] : null;
        foreach (var unit in _chunks[chunk])
        {
            hidden = unit switch
            {
                EmbeddingUnit embedding => embedding.Forward(hidden, context),
                EncoderLayerUnit layer => layer.Forward(hidden, mask, context),
                _ => hidden, // the head works on targets too: TensorStage calls it
            };
        }

        return hidden;
    }

    /// <summary>Takes all gradients away.</summary>
    public void ClearGradients()
    {
        foreach (var (_, optimiser) in All)
        {
            optimiser.ZeroGrad();
        }

        if (TiedHead is { Decoder.grad: { } gradient } head)
        {
            gradient.Dispose();
            head.Decoder.grad = null;
        }
    }

    /// <summary>Digests of one unit.</summary>
    public LayerDigest Digest(ModelUnit unit, AdamW optimiser)
    {
        var digest = StateDigest.Of(unit.Parameters, optimiser, RngState(unit));
        return new LayerDigest(unit.Name, digest.Weights, digest.Optimiser, digest.Rng);
    }

    /// <summary>Stores the state of every unit; returns unit name → hash.</summary>
    public IReadOnlyDictionary<string, string> Save(IObjectStore store, StageRanges ranges) => All.ToDictionary(
        u => u.Unit.Name,
        u => store.Put(stream => UnitStateFile.Write(stream, u.Unit.Parameters, u.Optimiser, RngState(u.Unit), ranges.Of(u.Unit.Name))));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (unit, optimiser) in All)
        {
            optimiser.Dispose();
            unit.Dispose();
        }

        All.Clear();
    }

    private ModelUnit Add(int index, StageProtocol.Prepare plan, TensorStageRecipe recipe, IObjectStore store, Device device, StageRanges ranges)
    {
        var unit = UnitFactory.Create(recipe.Arch, index, recipe.Seed, device: device, bf16: recipe.BFloat16, fineTune: recipe.FineTune);
        var optimiser = new AdamW(unit.Parameters, recipe.Optim);
        All.Add((unit, optimiser));
        BaseObjects.Load(unit, plan.Objects, store);
        if (HasStates(plan))
        {
            ranges.Restore(unit.Name, UnitStateFile.Ranges(Load(unit, optimiser, plan.Objects, store)));
        }

        return unit;
    }

    private static bool HasStates(StageProtocol.Prepare plan) => plan.Objects.Keys.Any(key => !BaseObjects.IsBase(key));

    /// <returns>The file.</returns>
    private static string Load(ModelUnit unit, AdamW optimiser, IReadOnlyDictionary<string, string> objects, IObjectStore store)
    {
        if (!objects.TryGetValue(unit.Name, out var hash))
        {
            throw new RefusedException($"The checkpoint has no state of unit '{unit.Name}'; it holds {string.Join(", ", objects.Keys.Where(key => !BaseObjects.IsBase(key)))}. It is of another model.");
        }

        var file = store.Verified(hash);
        UnitStateFile.Read(file, unit.Parameters, optimiser);
        return file;
    }

    /// <summary>Gives the head its decoder: the table itself when it lies on this stage, else a copy that the embedding's stage keeps up to date.</summary>
    private void Tie(StageProtocol.Prepare plan, TensorStageRecipe recipe, IObjectStore store, Device device)
    {
        if (TiedHead is not { } head)
        {
            return;
        }

        if (Embedding is { } embedding)
        {
            head.TieTo(embedding.Table);
            return;
        }

        if (!HasStates(plan))
        {
            using var initial = EmbeddingUnit.InitialTable(recipe.Arch, recipe.Seed, device: device);
            head.UntiedCopy(initial);
            return;
        }

        using var twin = (EmbeddingUnit)UnitFactory.Create(recipe.Arch, 0, recipe.Seed, device: device, bf16: recipe.BFloat16);
        using var moments = new AdamW(twin.Parameters, recipe.Optim);
        Load(twin, moments, plan.Objects, store);
        head.UntiedCopy(twin.Table);
    }

    /// <summary>
    /// The unit's random state: dropout masks are functions of (seed, unit, step, micro-batch), so the key of the unit's
    /// stream and the steps taken are all there is.
    /// </summary>
    private byte[] RngState(ModelUnit unit)
    {
        var state = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(state, CounterRandom.Key(_seed, RandomPurpose.Dropout, unit.Index));
        BinaryPrimitives.WriteInt64LittleEndian(state.AsSpan(8), All.First(u => u.Unit == unit).Optimiser.StepCount);
        return state;
    }
}
