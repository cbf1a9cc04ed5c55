using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Stages;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;
using ActorTrainer.He.Wire;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>The encrypted units that one stage owns, chunk by chunk, with its evaluation keys.</summary>
internal sealed class EncryptedChunks : IDisposable
{
    private readonly List<List<EncryptedUnit>> _chunks = [];
    private readonly EvaluationKeys _keys;
    private readonly DiagonalCache _diagonals;
    private readonly Evaluator _evaluator;
    private readonly bool _holdsFirst;

    private EncryptedChunks(EvaluationKeys keys, CkksContext context, DiagonalCache diagonals, Func<Evaluator, IRefresher> refresher, Packing packing, bool holdsFirst)
    {
        (_keys, Context, _diagonals, Packing, _holdsFirst) = (keys, context, diagonals, packing, holdsFirst);
        _evaluator = new Evaluator(new CkksBackend(context, keys) { Diagonals = diagonals });
        Math = new TensorMath(_evaluator, refresher(_evaluator), packing);
    }

    public CkksContext Context { get; }

    public Packing Packing { get; }

    public TensorMath Math { get; }

    /// <summary>All units in order.</summary>
    public IEnumerable<EncryptedUnit> All => _chunks.SelectMany(chunk => chunk);

    /// <summary>Keys in memory.</summary>
    public IReadOnlyList<KeyRequest> Keys => [.. _keys.Requests];

    public bool HoldsHead => All.Any(unit => unit is EncryptedHeadUnit);

    /// <summary>Keys used so far, each up to the highest level of its use.</summary>
    public IReadOnlyList<KeyRequest> UsedKeys => [.. _evaluator.Ledger.Keys];

    /// <summary>Operations so far.</summary>
    public long Progress => _evaluator.Ledger.Noted;

    /// <summary>Builds the units of a stage: initial weights that the owner encrypted, or committed states from the store.</summary>
    /// <param name="owner">The way to the data owner, for the sites that the recipe leaves to it.</param>
    /// <exception cref="RefusedException">Something is missing, damaged or of other parameters.</exception>
    public static EncryptedChunks Build(StageProtocol.Prepare plan, EncryptedRecipe recipe, IObjectStore store, CkksContext context, IOwnerLink owner)
    {
        var refreshing = recipe.Refreshing(context.Parameters);
        var makers = new EncryptedUnits(recipe, recipe.Packing(context.Parameters));
        string[][] chunks = [.. Parts(plan).Select(part => recipe.Units.Skip(plan.PartSizes.Take(part).Sum()).Take(plan.PartSizes[part]).ToArray())];
        var built = new EncryptedChunks(
            ReadKeys(store.Verified(Base(plan, EncryptedRecipe.KeysObject)), Wanted(recipe, chunks.SelectMany(chunk => chunk)), context, recipe.KeyBytes), context, new DiagonalCache((long)recipe.CacheMiB << 20),
            evaluator => refreshing.Of(evaluator, owner, owner.Helpers), makers.Packing, plan.Stage == 0);
        try
        {
            foreach (var names in chunks)
            {
                built._chunks.Add([.. names.Select(name => Load(name, plan, makers, store, context))]);
            }

            return built;
        }
        catch
        {
            built.Dispose();
            throw;
        }
    }

    /// <summary>Whether a chunk is the model's first part.</summary>
    public bool IsFirst(int chunk) => _holdsFirst && chunk == 0;

    public IReadOnlyList<EncryptedLayerUnit> Layers(int chunk) => [.. _chunks[chunk].OfType<EncryptedLayerUnit>()];

    /// <summary>The head, when the chunk ends with it.</summary>
    public EncryptedHeadUnit? Head(int chunk) => _chunks[chunk].LastOrDefault() as EncryptedHeadUnit;

    public void Dispose()
    {
        foreach (var unit in All)
        {
            unit.Dispose();
        }

        _diagonals.Dispose();
        _keys.Dispose();
    }

    private static EncryptedUnit Load(string name, StageProtocol.Prepare plan, EncryptedUnits makers, IObjectStore store, CkksContext context)
    {
        var unit = makers.Create(name, store.Verified(Base(plan, name)));
        var committed = plan.Objects.Keys.Any(key => !BaseObjects.IsBase(key));
        var file = store.Verified(!committed ? Base(plan, EncryptedRecipe.InitialObject(name)) : plan.Objects.TryGetValue(name, out var hash) ? hash
            : throw new RefusedException($"The checkpoint has no state of unit '{name}'. It is of another model."));
        var (steps, packs) = EncryptedUnitState.Read(file, context);
        try
        {
            unit.Load(steps, packs);
            return unit;
        }
        catch (ArgumentException e)
        {
            throw new RefusedException($"{file}: {e.Message} It is of another model.", e);
        }
    }

    private static string Base(StageProtocol.Prepare plan, string name) => plan.Objects.TryGetValue(BaseObjects.Key(name), out var hash)
        ? hash
        : throw new RefusedException($"The run has no object '{BaseObjects.Key(name)}'; it has {string.Join(", ", plan.Objects.Keys)}.");

    /// <summary>Parts of the model that this stage has.</summary>
    private static IEnumerable<int> Parts(StageProtocol.Prepare plan)
    {
        for (var part = plan.Stage; part < plan.PartSizes.Count; part += plan.Stages)
        {
            yield return part;
        }
    }

    /// <summary>What these units ask for; null: nobody knows.</summary>
    private static IReadOnlyCollection<KeyRequest>? Wanted(EncryptedRecipe recipe, IEnumerable<string> units) =>
        recipe.Keys.Count == 0 ? null : [.. units.SelectMany(unit => recipe.Keys.TryGetValue(unit, out var keys)
            ? keys
            : throw new RefusedException($"The recipe names keys of {string.Join(", ", recipe.Keys.Keys)}, and none of {unit}. Start the run again with one version of the program on all nodes."))];

    private static EvaluationKeys ReadKeys(string file, IReadOnlyCollection<KeyRequest>? wanted, CkksContext context, long? budgetBytes)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 20);
            return KeyManifest.Read(stream, context, new WireLimits { MaxBytes = long.Max(1, stream.Length), MaxKeys = context.Parameters.Degree + 1 }, wanted, budgetBytes);
        }
        catch (WireFormatException e)
        {
            throw new RefusedException($"{file}: not the evaluation keys of this run ({e.Message}).", e);
        }
    }
}
