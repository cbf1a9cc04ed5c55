using System.Collections.Concurrent;
using ActorTrainer.He.Approximation;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Ranges;

/// <summary>
/// The polynomials of a calibration in place of the functions, in float64, with the gradients of encrypted training: for ReLU x·h the factor h;
/// 1 − t² for tanh; the value itself for exponentials; −r³/2 for inverse roots, with which LayerNorm's backward is
/// (g − x̂·mean(g∘x̂) − mean(g))·r (Rho et al., arXiv 2410.02486, appendix).
/// </summary>
/// <param name="calibration">The polynomials.</param>
public sealed class PolynomialFunctions(Calibration calibration) : IPointFunctions
{
    private readonly Dictionary<FunctionSite, FunctionFit> _fits = calibration.Sites.ToDictionary(site => site.Site, site => site.Fit);
    private readonly ConcurrentDictionary<FunctionSite, OutOfDomain> _outside = [];

    /// <summary>Inputs outside of domains so far, for every site that was used.</summary>
    public IReadOnlyDictionary<FunctionSite, OutOfDomain> Outside => _outside;

    /// <inheritdoc/>
    /// <exception cref="RefusedException">The calibration lacks the site.</exception>
    public Tensor Apply(FunctionSite site, Tensor input)
    {
        var fit = _fits.TryGetValue(site, out var found) ? found
            : throw new RefusedException($"The calibration has no {site.Function} at {site}; it is of another model: calibrate this one (eval.calibrate_every).");
        using var scope = NewDisposeScope();
        Tensor value;
        Tensor? slope;
        using (no_grad())
        {
            var x = input.detach().to(ScalarType.Float64);
            Count(site, fit, x);
            (value, slope) = Evaluate(fit, x, input.requires_grad);
            (value, slope) = (value.to(input.dtype), slope?.to(input.dtype));
        }

        // Value as it is, derivative as given: the difference is zero and carries only the gradient.
        return (slope is null ? value : value + (input - input.detach()) * slope).MoveToOuterDisposeScope();
    }

    /// <summary>Value of a fit and, if asked for, the derivative that encrypted training uses. Works in place where it can: new memory costs more than arithmetic.</summary>
    internal static (Tensor Value, Tensor? Slope) Evaluate(FunctionFit fit, Tensor x, bool withSlope)
    {
        switch (fit.Function)
        {
            case FunctionNames.InverseRoot:
                var scaled = x / fit.Scale;
                var root = Series(fit.Parts[0], scaled);
                if (fit.Newton > 0)
                {
                    using var cube = empty_like(root);
                    for (var i = 0; i < fit.Newton; i++)
                    {
                        cube.copy_(root).mul_(root).mul_(root).mul_(scaled).mul_(0.5);
                        root.mul_(1.5).sub_(cube);
                    }
                }

                root.div_(Math.Sqrt(fit.Scale));
                return (root, withSlope ? root.pow(3).mul_(-0.5) : null);
            case FunctionNames.Relu:
                var sign = x / fit.Scale;
                foreach (var part in fit.Parts)
                {
                    var next = Series(part, sign);
                    sign.Dispose();
                    sign = next;
                }

                var gate = sign.mul_(0.5).add_(0.5);
                return (x * gate, withSlope ? gate : null);
            case FunctionNames.PowerExp:
                var power = x / Math.Pow(2, fit.Squarings);
                power.add_(1);
                for (var i = 0; i < fit.Squarings; i++)
                {
                    power.mul_(power);
                }

                return (power, withSlope ? power : null);
            case FunctionNames.Tanh:
                var tanh = Series(fit.Parts[0], x);
                return (tanh, withSlope ? 1 - tanh * tanh : null);
            case FunctionNames.Reciprocal:
                var reciprocal = Series(fit.Parts[0], x);
                return (reciprocal, withSlope ? -(reciprocal * reciprocal) : null);
            default:
                var exponential = Series(fit.Parts[0], x);
                return (exponential, withSlope ? exponential : null);
        }
    }

    /// <summary>Clenshaw's recurrence in three buffers.</summary>
    private static Tensor Series(ChebyshevSeries series, Tensor x)
    {
        using var twice = x * (4 / (series.High - series.Low));
        twice.sub_(2 * (series.Low + series.High) / (series.High - series.Low));
        var (next, afterNext) = (zeros_like(x), zeros_like(x));
        for (var k = series.Coefficients.Count - 1; k > 0; k--)
        {
            afterNext.neg_().addcmul_(twice, next, value: 1).add_(series.Coefficients[k]);
            (next, afterNext) = (afterNext, next);
        }

        next.mul_(twice.mul_(0.5)).sub_(afterNext).add_(series.Coefficients[0]);
        afterNext.Dispose();
        return next;
    }

    private void Count(FunctionSite site, FunctionFit fit, Tensor x)
    {
        var seen = new OutOfDomain(0, x.numel(), 0);
        if (seen.Count > 0 && !(x.min().item<double>() >= fit.Low && x.max().item<double>() <= fit.High))
        {
            var beyond = maximum(x - fit.High, fit.Low - x);
            seen = new OutOfDomain(beyond.le(0).logical_not_().sum().item<long>(), seen.Count, beyond.max().item<double>() / (fit.High - fit.Low));
        }

        _outside.AddOrUpdate(site, _ => seen, (_, before) => before.With(seen));
    }
}
