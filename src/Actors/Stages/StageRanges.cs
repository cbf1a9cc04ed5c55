using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Ranges;

namespace ActorTrainer.Actors.Stages;

/// <summary>What a stage does about functions that are no polynomials: records their inputs, punishes those outside of ranges, puts polynomials in their place.</summary>
/// <param name="recipe">The stage's settings.</param>
internal sealed class StageRanges(TensorStageRecipe recipe)
{
    private readonly RangeRecorder _recorder = new();
    private readonly PolynomialFunctions? _functions = recipe.Ranges.Functions.Length == 0 ? null : new(Calibration.Parse(recipe.Ranges.Functions, "the run's calibration"));
    private readonly Dictionary<FunctionSite, OutOfDomain> _outsideBefore = [];

    /// <summary>What stands in for the functions; null: nothing.</summary>
    public IPointFunctions? Functions => _functions;

    /// <summary>The probe of one forward of one part. Inputs are recorded once; a penalty needs the forward that has a graph.</summary>
    /// <param name="step">The step under way.</param>
    /// <param name="again">Whether this is the second time, with <see cref="TensorStageRecipe.Recompute"/>.</param>
    public IInputProbe? Probe(StageProtocol.RunStep step, bool again)
    {
        var recorder = Records(step) && !again ? _recorder : null;
        return Punishes(step) && again == recipe.Recompute
            ? new RangePenalty(recipe.Ranges.Targets, recipe.Ranges.Penalty * step.Scale, recorder)
            : recorder;
    }

    /// <summary>Lets the optimiser of a unit use the polynomial, and shows the recorder what is under its root.</summary>
    public void Attach(string unit, AdamW optimiser, StageProtocol.RunStep step)
    {
        if (!recipe.Optim.EpsInsideRoot)
        {
            return;
        }

        var site = RangeRecorder.OptimiserSite(unit);
        optimiser.RootObserver = Records(step) ? x => _recorder.Observe(site, x) : null;
        optimiser.InverseRoot = _functions is null ? null : x => _functions.Apply(site, x);
    }

    /// <summary>What is known of a unit.</summary>
    public UnitRanges Of(string unit)
    {
        var statistics = _recorder.Statistics;
        var outside = _functions?.Outside;
        var sites = statistics.Keys.Concat(outside?.Keys ?? []).Concat(_outsideBefore.Keys).Where(site => site.Unit == unit).Distinct()
            .OrderBy(site => site.Place, StringComparer.Ordinal);
        return new UnitRanges([.. sites.Select(site => new SiteRanges(site.Place, site.Function, statistics.GetValueOrDefault(site), Outside(site)))]);

        OutOfDomain? Outside(FunctionSite site)
        {
            OutOfDomain? before = _outsideBefore.TryGetValue(site, out var earlier) ? earlier : null;
            return outside is not null && outside.TryGetValue(site, out var now) ? now.With(before ?? default) : before;
        }
    }

    /// <summary>Goes on from a checkpoint.</summary>
    public void Restore(string unit, UnitRanges ranges)
    {
        foreach (var site in ranges.Sites)
        {
            var key = new FunctionSite(unit, site.Place, site.Function);
            if (site.Statistics is { } statistics)
            {
                _recorder.Restore(key, statistics);
            }

            if (site.Outside is { } outside)
            {
                _outsideBefore[key] = outside;
            }
        }
    }

    private bool Records(StageProtocol.RunStep step) =>
        recipe.Ranges.CalibrateEvery > 0 && step.Phase == Phase.Train && step.Step % recipe.Ranges.CalibrateEvery == 0;

    private bool Punishes(StageProtocol.RunStep step) =>
        recipe.Ranges is { Penalty: > 0, PenaltyFrom: > 0 } ranges && step.Phase == Phase.Train && step.Step >= ranges.PenaltyFrom;
}
