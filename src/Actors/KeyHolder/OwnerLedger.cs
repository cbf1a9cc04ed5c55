using System.Numerics;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Training;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>What the owner learns of a training step.</summary>
/// <param name="Loss">Mean over the step's examples: cross-entropy in nats, or squared error. NaN until all outputs were seen.</param>
/// <param name="GradientNorm">Global L2 norm of the gradients. NaN until all packs were seen.</param>
/// <param name="Accuracy">Share of examples whose class is right; NaN for a number.</param>
public readonly record struct OwnerStep(double Loss, double GradientNorm, double Accuracy);

/// <summary>
/// Keeps what the owner sees of a run: outputs of training and evaluation, and gradients, as they pass by for refreshes. Loss and norm are computed here, on the owner's
/// side; the cluster never has them.
/// </summary>
/// <param name="layouts">Unit → where its learned numbers lie.</param>
/// <param name="outputs">Outputs of the head.</param>
/// <param name="isRegression">Whether the output is a number.</param>
/// <param name="labels">Labels of a training micro-batch's examples, by step and micro-batch.</param>
public sealed class OwnerLedger(IReadOnlyDictionary<string, UnitLayout> layouts, int outputs, bool isRegression, Func<long, int, IReadOnlyList<float>> labels) : IOwnerObserver
{
    private const string Head = "head";

    private readonly Lock _gate = new();
    private readonly int _batch = layouts[Head].Packing.Batch;
    private readonly Dictionary<string, int> _trained = Enumerable.Range(0, outputs)
        .ToDictionary(o => EncryptedHeadUnit.OutputSite(Head, o, isRegression));

    private readonly Dictionary<string, double[]> _norms = layouts
        .SelectMany(unit => unit.Value.NormWeights().Select((weights, pack) => (Site: EncryptedUnit.GradientSite(unit.Key, pack), weights)))
        .ToDictionary(pair => pair.Site, pair => pair.weights);

    private readonly Dictionary<(Phase Phase, long Step, int MicroBatch), SortedDictionary<(int Output, int Index), double[]>> _outputs = [];
    private readonly Dictionary<long, Dictionary<string, double>> _squares = [];
    private int _attempt = -1;
    private int _evaluated;

    /// <summary>Told, on a thread of the owner, how many micro-batches of evaluations were seen so far; null: nobody is.</summary>
    public Action<int>? OnEvaluated { get; set; }

    /// <summary>What is known of a step.</summary>
    public OwnerStep Of(long step)
    {
        lock (_gate)
        {
            var seen = _outputs.Where(pair => pair.Key.Phase == Phase.Train && pair.Key.Step == step).ToList();
            var examples = seen.SelectMany(pair => Examples(pair.Value.Values).Zip(labels(step, pair.Key.MicroBatch), (found, label) => (Outputs: found, Label: label))).ToList();
            var norm = _squares.TryGetValue(step, out var squares) && squares.Count == _norms.Count ? Math.Sqrt(squares.Values.Sum()) : double.NaN;
            return examples.Count == 0 || seen.Any(pair => pair.Value.Count < outputs)
                ? new OwnerStep(double.NaN, norm, double.NaN)
                : new OwnerStep(
                    examples.Average(e => Loss(e.Outputs, e.Label)), norm,
                    isRegression ? double.NaN : examples.Average(e => Array.IndexOf(e.Outputs, e.Outputs.Max()) == (int)e.Label ? 1.0 : 0));
        }
    }

    /// <summary>Outputs of an evaluation, example by example; micro-batches in order.</summary>
    /// <param name="step">The step after which it was made.</param>
    public IReadOnlyList<float[]> Evaluated(long step)
    {
        lock (_gate)
        {
            return [.. _outputs.Where(pair => pair.Key.Phase == Phase.Evaluate && pair.Key.Step == step && pair.Value.Count == outputs).OrderBy(pair => pair.Key.MicroBatch)
                .SelectMany(pair => Examples(pair.Value.Values).Select(example => Array.ConvertAll(example, value => (float)value)))];
        }
    }

    /// <inheritdoc/>
    public void Observed(RefreshKey key, int index, IReadOnlyList<Complex> slots)
    {
        if (key.Phase == Phase.Train && _norms.TryGetValue(key.Site, out var weights))
        {
            var square = 0.0;
            for (var i = 0; i < weights.Length; i++)
            {
                square += slots[i].Real * weights[i] * slots[i].Real * weights[i];
            }

            lock (_gate)
            {
                if (IsOfNewest(key))
                {
                    (_squares.TryGetValue(key.Step, out var step) ? step : _squares[key.Step] = [])[key.Site] = square;
                }
            }
        }
        else if (key.Phase == Phase.Train ? _trained.TryGetValue(key.Site, out var output) : IsReport(key, out output))
        {
            double[] found = [.. Enumerable.Range(0, _batch).Select(b => slots[b].Real)];
            lock (_gate)
            {
                if (IsOfNewest(key))
                {
                    var place = (key.Phase, key.Step, key.MicroBatch);
                    var all = _outputs.TryGetValue(place, out var seen) ? seen : _outputs[place] = [];
                    all[(output, index)] = found;
                    if (key.Phase == Phase.Evaluate && all.Count == outputs)
                    {
                        OnEvaluated?.Invoke(++_evaluated);
                    }
                }
            }
        }
    }

    /// <summary>Another attempt does its first step, and those after it, again: what was seen of them is forgotten.</summary>
    private bool IsOfNewest(in RefreshKey key)
    {
        if (key.Attempt > _attempt)
        {
            _attempt = key.Attempt;
            var again = key.Phase == Phase.Train ? key.Step : key.Step + 1;
            foreach (var old in _outputs.Keys.Where(old => old.Phase == Phase.Train && old.Step >= again).ToList())
            {
                _outputs.Remove(old);
            }

            foreach (var old in _squares.Keys.Where(old => old >= again).ToList())
            {
                _squares.Remove(old);
            }
        }

        return key.Attempt == _attempt;
    }

    /// <summary>Outputs of an evaluation come in order, in one request or several.</summary>
    private static bool IsReport(RefreshKey key, out int ordinal)
    {
        ordinal = key.Ordinal;
        return key.Site == EncryptedStage.OutputSite(Head);
    }

    /// <summary>Outputs by example.</summary>
    private IEnumerable<double[]> Examples(IEnumerable<double[]> classes)
    {
        double[][] all = [.. classes];
        return Enumerable.Range(0, _batch).Select(b => Array.ConvertAll(all, values => values[b]));
    }

    private double Loss(double[] found, float label)
    {
        if (isRegression)
        {
            return (found[0] - label) * (found[0] - label);
        }

        var most = found.Max();
        return most + Math.Log(found.Sum(value => Math.Exp(value - most))) - found[(int)label];
    }
}
