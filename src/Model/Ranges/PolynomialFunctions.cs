using System.Collections.Concurrent;
using ActorTrainer.He.Approximation;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Ranges;

/// <summary>How many inputs of a site lay outside of its polynomial's domain.</summary>
/// <param name="Outside">Inputs outside.</param>
/// <param name="Count">All inputs.</param>
/// <param name="Worst">Largest distance from the domain, in widths of the domain.</param>
public readonly record struct OutOfDomain(long Outside, long Count, double Worst);

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
        Tensor value, slope;
        using (no_grad())
        {
            var x = input.detach().to(ScalarType.Float64);
            Count(site, fit, x);
            (value, slope) = Evaluate(fit, x);
            (value, slope) = (value.to(input.dtype), slope.to(input.dtype));
        }

        // Value as it is, derivative as given: the difference is zero and carries only the gradient.
        return (input.requires_grad ? value + (input - input.detach()) * slope : value).MoveToOuterDisposeScope();
    }

    /// <summary>Value of a fit and the derivative that encrypted training uses.</summary>
    internal static (Tensor Value, Tensor Slope) Evaluate(FunctionFit fit, Tensor x)
    {
        switch (fit.Function)
        {
            case FunctionNames.InverseRoot:
                var scaled = x / fit.Scale;
                var root = Series(fit.Parts[0], scaled);
                for (var i = 0; i < fit.Newton; i++)
                {
                    root = root * 1.5 - root * root * root * scaled * 0.5;
                }

                root = root / Math.Sqrt(fit.Scale);
                return (root, root * root * root * -0.5);
            case FunctionNames.Relu:
                var sign = x / fit.Scale;
                foreach (var part in fit.Parts)
                {
                    sign = Series(part, sign);
                }

                var gate = sign * 0.5 + 0.5;
                return (x * gate, gate);
            case FunctionNames.PowerExp:
                var power = x / Math.Pow(2, fit.Squarings) + 1;
                for (var i = 0; i < fit.Squarings; i++)
                {
                    power = power * power;
                }

                return (power, power);
            case FunctionNames.Tanh:
                var tanh = Series(fit.Parts[0], x);
                return (tanh, 1 - tanh * tanh);
            case FunctionNames.Reciprocal:
                var reciprocal = Series(fit.Parts[0], x);
                return (reciprocal, -(reciprocal * reciprocal));
            default:
                var exponential = Series(fit.Parts[0], x);
                return (exponential, exponential);
        }
    }

    /// <summary>Clenshaw's recurrence.</summary>
    private static Tensor Series(ChebyshevSeries series, Tensor x)
    {
        var t = (x * 2 - (series.Low + series.High)) / (series.High - series.Low);
        var (next, afterNext) = (zeros_like(t), zeros_like(t));
        for (var k = series.Coefficients.Count - 1; k > 0; k--)
        {
            (next, afterNext) = (t * next * 2 - afterNext + series.Coefficients[k], next);
        }

        return t * next - afterNext + series.Coefficients[0];
    }

    private void Count(FunctionSite site, FunctionFit fit, Tensor x)
    {
        var beyond = maximum(x - fit.High, fit.Low - x);
        var outside = beyond.gt(0).sum().item<long>();
        var worst = outside > 0 ? beyond.max().item<double>() / (fit.High - fit.Low) : 0;
        _outside.AddOrUpdate(
            site,
            _ => new OutOfDomain(outside, x.numel(), worst),
            (_, before) => new OutOfDomain(before.Outside + outside, before.Count + x.numel(), Math.Max(before.Worst, worst)));
    }
}
