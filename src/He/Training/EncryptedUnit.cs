using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Training;

/// <summary>
/// A unit of a pipeline whose learned weights are encrypted: packed weights and moments, weights spread for the layer's arithmetic once a step, terms of gradients summed over
/// micro-batches, and AdamW on packs. Subclasses say what it computes. One thread at a time.
/// </summary>
public abstract class EncryptedUnit : IDisposable
{
    /// <summary>Level of weights and moments between steps, counted from the refresher's floor: as low as can be, since they are lifted anyway.</summary>
    public const int StateLevel = 1;

    private readonly EncryptedAdamW[] _optimisers;
    private readonly VectorPack[] _packs;
    private readonly double[][] _decays;
    private readonly IReadOnlyList<double[]?> _filled;
    private readonly int _spreadLevel;
    private AdamWPack[] _state = [];
    private Ciphertext[]? _spread;
    private Ciphertext[]? _terms;

    /// <param name="root">The optimiser's inverse root.</param>
    /// <param name="spreadLevel">Level at which the layer wants its weights.</param>
    /// <exception cref="ArgumentException">A vector of the layout has no weight at all.</exception>
    private protected EncryptedUnit(string name, UnitLayout layout, AdamWSettings settings, FunctionCircuit root, int spreadLevel)
    {
        (Name, Layout, _spreadLevel) = (name, layout, spreadLevel);
        (_decays, _filled) = (layout.Decays(), layout.Filled());
        if (_filled.Any(vector => vector?.All(v => v == 0) == true))
        {
            throw new ArgumentException($"Some ciphertexts of {name} would hold nothing. Take a pooler rank that is a multiple of the {layout.Packing.Tokens} tokens, or a larger pooler width.", nameof(layout));
        }

        _optimisers = [.. Enumerable.Range(0, layout.Packs).Select(p => new EncryptedAdamW(settings, root, OptimiserOf(name, p)))];
        _packs = [.. Enumerable.Range(0, layout.Packs).Select(p => new VectorPack(layout.Packing, layout.Period, $"{name}.pack{p}"))];
    }

    public string Name { get; }

    public UnitLayout Layout { get; }

    /// <summary>Updates applied.</summary>
    public long Steps { get; private set; }

    /// <summary>Where values of its refreshes have to lie, as functions are evaluated on them: site by site, in the order of the computation.</summary>
    public virtual IEnumerable<SiteRange> Ranges => _optimisers.SelectMany(optimiser => optimiser.Ranges);

    /// <summary>Packed weights and moments.</summary>
    public IReadOnlyList<AdamWPack> State => _state;

    /// <summary>Site of a pack's gradient, which the owner sees once a step.</summary>
    public static string GradientSite(string unit, int pack) => $"{OptimiserOf(unit, pack)}.gradient";

    /// <summary>Takes over weights and moments; drops what was there.</summary>
    /// <exception cref="ArgumentException">There are more or fewer than the layout has packs.</exception>
    public void Load(long steps, IReadOnlyList<AdamWPack> state)
    {
        if (state.Count != Layout.Packs)
        {
            throw new ArgumentException($"Expected {Layout.Packs} packs of {Name}, found {state.Count}.", nameof(state));
        }

        Drop();
        (Steps, _state) = (steps, [.. state]);
    }

    /// <summary>Drops terms of an earlier or aborted step.</summary>
    public void Begin()
    {
        Free(_terms);
        _terms = null;
    }

    /// <summary>One step of the optimiser with the gradients since <see cref="Begin"/>.</summary>
    /// <exception cref="InvalidOperationException">There were none.</exception>
    public void Update(TensorMath math, double learningRate)
    {
        var terms = _terms ?? throw new InvalidOperationException($"{Name} has no gradients: no backward came before the update.");
        var next = new AdamWPack[Layout.Packs];
        for (var p = 0; p < next.Length; p++)
        {
            using var gradient = _packs[p].Sum(math, [.. terms.Skip(p * Layout.Period).Take(Layout.Period)], 0);
            using var stepped = _optimisers[p].Step(math, _state[p], gradient, _decays[p], learningRate, Steps + 1, StateLevel);
            using var entered = math.Evaluator.Ledger.Enter(OptimiserOf(Name, p));
            next[p] = AsKept(math, stepped);
        }

        var steps = Steps + 1;
        Drop();
        (Steps, _state) = (steps, next);
    }

    public void Dispose() => Drop();

    /// <summary>The weights as the layer computes with them, one ciphertext a vector; they stay this unit's.</summary>
    private protected IReadOnlyList<Ciphertext> Weights(TensorMath math)
    {
        if (_spread is null)
        {
            // The update takes what is lifted here, too.
            for (var p = 0; p < _state.Length; p++)
            {
                using var low = _state[p].Weights;
                _state[p] = _state[p] with { Weights = _packs[p].Lifted(math, low, Layout.VectorsOf(p), _spreadLevel) };
            }

            _spread = [.. _state.SelectMany((pack, p) => _packs[p].Spread(math, pack.Weights, Layout.VectorsOf(p), _spreadLevel))];
        }

        return _spread;
    }

    /// <summary>Adds terms of gradients, one a vector, which become this unit's.</summary>
    private protected void Accumulate(TensorMath math, IReadOnlyList<Ciphertext> terms)
    {
        using var entered = math.Evaluator.Ledger.Enter($"{Name}.terms");
        Ciphertext[] masked = [.. terms.Select((term, i) => _filled[i] is { } filled ? Masked(math, term, filled) : term)];
        if (_terms is null)
        {
            _terms = masked;
            return;
        }

        for (var i = 0; i < masked.Length; i++)
        {
            using var before = _terms[i];
            using var more = masked[i];
            _terms[i] = math.Evaluator.Add(before, more);
        }
    }

    /// <summary>
    /// At one level, whatever levels the step had to spare: the next one begins as this did. Errors are estimated for a step at a time: what an earlier step's error does to later ones is a matter of
    /// training, not of ciphertexts.
    /// </summary>
    private static AdamWPack AsKept(TensorMath math, AdamWPack pack)
    {
        return new AdamWPack(Kept(pack.Weights), Kept(pack.Mean), Kept(pack.Square));

        Ciphertext Kept(Ciphertext c)
        {
            var kept = math.Exactly(c, StateLevel);
            return kept.WithNoise(Math.Min(kept.NoiseVariance, NoiseModel.Symmetric)).WithMagnitude(1);
        }
    }

    private static string OptimiserOf(string unit, int pack) => $"{unit}.optimiser{pack}";

    /// <summary>Slots without a weight gather whatever: they become zero.</summary>
    private static Ciphertext Masked(TensorMath math, Ciphertext term, double[] filled)
    {
        using (term)
        {
            using var product = math.Evaluator.Multiply(term, new PlainVector(filled));
            return math.Evaluator.Rescale(product);
        }
    }

    private static void Free(Ciphertext[]? items) => Array.ForEach(items ?? [], item => item.Dispose());

    private void Drop()
    {
        Begin();
        Free(_spread);
        _spread = null;
        Array.ForEach(_state, pack => pack.Dispose());
        _state = [];
    }
}
