using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Actors.Coordination;

/// <summary>What the stages have reported of the step under way; decides when it is complete and what it came to.</summary>
/// <param name="stages">Stages of the pipeline.</param>
public sealed class StepLedger(int stages)
{
    private readonly SortedDictionary<int, StageProtocol.GradientsReady> _gradients = [];
    private readonly SortedDictionary<int, StageProtocol.StepDone> _done = [];

    /// <summary>Notes a report; true when it was the last one of all stages.</summary>
    public bool Add(StageProtocol.GradientsReady report) => _gradients.TryAdd(report.Stage, report) && _gradients.Count == stages;

    /// <summary>Notes a report; true when it was the last one of all stages.</summary>
    public bool Add(StageProtocol.StepDone report) => _done.TryAdd(report.Stage, report) && _done.Count == stages;

    /// <summary>Mean loss of the step, nats.</summary>
    public double Loss => _gradients.Values.Where(g => !double.IsNaN(g.Loss)).Select(g => g.Loss).DefaultIfEmpty(double.NaN).Sum();

    /// <summary>Global L2 norm of the gradients: squared norms added unit by unit in canonical order, so that the cut does not change it.</summary>
    public double GradientNorm => IsHidden ? double.NaN : Model.Optimisation.GradientNorm.Total(
        _gradients.Values.SelectMany(g => g.UnitNorms).OrderBy(unit => unit.Key).SelectMany(unit => unit.Value));

    /// <summary>Whether loss and norm are encrypted: then both are NaN, and nothing can be said of them.</summary>
    public bool IsHidden => _gradients.Values.Any(g => g.Hidden);

    /// <summary>Where the first NaN or infinity arose, null when loss and norm are finite, or hidden.</summary>
    public string? NonFinite()
    {
        if (IsHidden)
        {
            return null;
        }

        if (_gradients.Values.FirstOrDefault(g => g.NonFinite >= 0) is { } forward)
        {
            return $"the forward of micro-batch {forward.NonFinite} on stage {forward.Stage}";
        }

        if (!double.IsFinite(Loss))
        {
            return $"the loss on stage {stages - 1}";
        }

        // Backwards run from the last stage to the first: the last stage with a bad norm is where it began.
        return _gradients.Values.LastOrDefault(g => g.UnitNorms.Values.Any(norms => norms.Any(n => !double.IsFinite(n)))) is { } backward
            ? $"the gradients of stage {backward.Stage}"
            : null;
    }

    /// <summary>Busy time of each stage in the window from the first forward to the last backward of any stage.</summary>
    public IReadOnlyList<StageLoad> Loads()
    {
        var window = _done.Count == 0 ? 0 : _done.Values.Max(d => d.Last) - _done.Values.Min(d => d.First);
        return [.. _done.Values.Select(d => d.Outside == default
            ? new StageLoad(d.Stage, d.Busy, window)
            : new StageLoad(d.Stage, d.Busy, window, Math.Max(0, d.Working - d.Outside.Seconds), d.Outside.Seconds, d.Outside.Items))];
    }

    /// <summary>Busy seconds of each stage.</summary>
    public IReadOnlyList<double> Busy => [.. _done.Values.Select(d => d.Busy)];

    /// <summary>Sums of an evaluation.</summary>
    public EvaluationScore? Score => _done.Values.Select(d => d.Score).SingleOrDefault(score => score is not null);

    /// <summary>Timings of all stages.</summary>
    public IReadOnlyList<StageSpan> Spans => [.. _done.Values.SelectMany(d => d.Spans)];

    /// <summary>Digests of all units in the order given.</summary>
    public IReadOnlyList<LayerDigest> Digests(IReadOnlyList<string> units)
    {
        var byName = _done.Values.SelectMany(d => d.Digests).ToDictionary(d => d.Layer, StringComparer.Ordinal);
        return byName.Count == 0 ? [] : [.. units.Select(unit => byName[unit])];
    }
}
