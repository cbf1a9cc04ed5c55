using ActorTrainer.Model.Bert;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Ranges;

/// <summary>Keeps statistics of the inputs of functions that are no polynomials. Several threads may show it inputs at once.</summary>
public sealed class RangeRecorder : IInputProbe
{
    private readonly Lock _gate = new();
    private readonly Dictionary<FunctionSite, RangeStatistics> _sites = [];

    /// <summary>Statistics by site, so far.</summary>
    public IReadOnlyDictionary<FunctionSite, RangeStatistics> Statistics
    {
        get
        {
            lock (_gate)
            {
                return new Dictionary<FunctionSite, RangeStatistics>(_sites);
            }
        }
    }

    /// <summary>The one site of a unit's optimiser: v̂ + ε under its root.</summary>
    public static FunctionSite OptimiserSite(string unit) => new(unit, "optimiser", PointFunction.OptimiserInverseRoot);

    /// <summary>Puts statistics of earlier steps in.</summary>
    public void Restore(FunctionSite site, RangeStatistics statistics)
    {
        lock (_gate)
        {
            _sites[site] = statistics;
        }
    }

    /// <inheritdoc/>
    public void Observe(FunctionSite site, Tensor input)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var values = input.detach().to(ScalarType.Float64);
        if (values.numel() == 0)
        {
            return;
        }

        var seen = new RangeStatistics
        {
            Count = values.numel(),
            Min = values.min().item<double>(),
            Max = values.max().item<double>(),
            Sum = values.sum().item<double>(),
            SumOfSquares = values.square().sum().item<double>(),
        };
        lock (_gate)
        {
            _sites[site] = _sites.TryGetValue(site, out var before) ? before.With(seen) : seen;
        }
    }
}
