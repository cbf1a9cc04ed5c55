using System.Collections.Concurrent;
using System.Globalization;
using System.Numerics;

namespace ActorTrainer.He.Approximation;

/// <summary>
/// The fits that encrypted fine-tuning needs. The same request gives the same fit, made once a process.
/// All throw <see cref="ArgumentException"/> for unusable domains and degrees, and <see cref="FitException"/> where no fit can be had.
/// </summary>
public static class FunctionFits
{
    private static readonly int[] Degrees = [7, 15, 31, 63, 127, 255];
    private static readonly int[] SignDegrees = [15, 15, 27];
    private static readonly ConcurrentDictionary<string, Lazy<FunctionFit>> Cache = new();

    /// <summary>1/√x on [low, high], high being the known bound M: best relative polynomial on [low/high, 1], then Newton steps.</summary>
    public static FunctionFit InverseRoot(double low, double high, int degree = 127, int newton = 3)
    {
        Domain.CheckPositive(low, high);
        return Cached($"{FunctionNames.InverseRoot} {Key(low)} {Key(high)} {degree} {newton}", () => Measured(new FunctionFit
        {
            Function = FunctionNames.InverseRoot,
            Method = $"minimax (relative) degree {degree}, {newton} Newton steps",
            Low = low,
            High = high,
            Parts = [Approximation.InverseRoot.Fit(low / high, degree).Series],
            Scale = high,
            Newton = newton,
            MaxError = 0,
            MaxRelativeError = 0,
        }));
    }

    /// <summary>
    /// <see cref="InverseRoot"/> of the fewest levels, and then the fewest products, whose <see cref="FunctionFit.MaxRelativeError"/> is small enough: a level costs more than a
    /// product under encryption, and a Newton step takes two.
    /// </summary>
    /// <exception cref="ArgumentException">None is; or an argument is unusable.</exception>
    public static FunctionFit InverseRootForError(double low, double high, double maxRelativeError)
    {
        Domain.CheckPositive(maxRelativeError, nameof(maxRelativeError));
        var choices =
            from degree in Degrees
            from newton in Enumerable.Range(0, 4)
            orderby BitOperations.Log2((uint)degree + 1) + (newton * Approximation.InverseRoot.NewtonDepth), degree + (4 * newton)
            select (degree, newton);
        foreach (var (degree, newton) in choices)
        {
            if (InverseRoot(low, high, degree, newton) is var fit && fit.MaxRelativeError <= maxRelativeError)
            {
                return fit;
            }
        }

        throw new ArgumentException(
            $"No degree up to {Degrees[^1]} with up to 3 Newton steps brings 1/√x on [{low}, {high}] to a relative error of {maxRelativeError:g3}. Narrow the domain or allow more.", nameof(maxRelativeError));
    }

    /// <summary>max(x, 0) on [−bound, bound] by a composite sign.</summary>
    /// <param name="degrees">Odd; 15, 15, 27 when null.</param>
    /// <param name="epsilon">The smallest |x|/bound whose sign counts; when null, the one with the least <see cref="FunctionFit.MaxError"/>.</param>
    public static FunctionFit Relu(double bound, IReadOnlyList<int>? degrees = null, double? epsilon = null)
    {
        Domain.CheckPositive(bound, nameof(bound));
        degrees ??= SignDegrees;
        var list = string.Join(", ", degrees);
        return Cached(string.Create(CultureInfo.InvariantCulture, $"{FunctionNames.Relu} {bound:R} {list} {epsilon:R}"), () =>
        {
            var sign = epsilon is { } given ? CompositeSign.Fit(degrees, given) : CompositeSign.FitForRelu(degrees);
            var fit = new FunctionFit
            {
                Function = FunctionNames.Relu,
                Method = string.Create(CultureInfo.InvariantCulture, $"minimax composite sign, degrees {list}, epsilon {sign.Epsilon:R}"),
                Low = -bound,
                High = bound,
                Parts = sign.Parts,
                Scale = bound,
                MaxError = 0,
                MaxRelativeError = 0,
            };

            // The worst place is often inside the gap, which a grid over the whole domain would step over.
            var inner = sign.Epsilon * bound;
            var error = Error(fit, -inner, inner).Or(Error(fit, inner, bound)).Or(Error(fit, -bound, -inner)).Absolute;
            return (fit with { MaxError = error, MaxRelativeError = error / bound }).Validate();
        });
    }

    /// <summary>exp(x) on [low, high].</summary>
    public static FunctionFit Exp(double low, double high, int degree) => Interpolated(FunctionNames.Exp, Math.Exp, low, high, degree);

    /// <summary>exp(x) on [−2^k, 0] as (1 + x/2^k)^(2^k).</summary>
    public static FunctionFit PowerExp(int k)
    {
        if (k is < 1 or > 30)
        {
            throw new ArgumentException($"The number of squarings must be 1 to 30; found {k}.", nameof(k));
        }

        return Cached($"{FunctionNames.PowerExp} {k}", () => Measured(new FunctionFit
        {
            Function = FunctionNames.PowerExp,
            Method = $"(1 + x/2^{k})^(2^{k})",
            Low = -Math.ScaleB(1, k),
            High = 0,
            Parts = [],
            Squarings = k,
            MaxError = 0,
            MaxRelativeError = 0,
        }));
    }

    /// <summary>tanh(x) on [−bound, bound].</summary>
    public static FunctionFit Tanh(double bound, int degree) => Interpolated(FunctionNames.Tanh, Math.Tanh, -bound, bound, degree);

    /// <summary>1/x on [low, high], low above zero.</summary>
    public static FunctionFit Reciprocal(double low, double high, int degree)
    {
        Domain.CheckPositive(low, high);
        return Interpolated(FunctionNames.Reciprocal, x => 1 / x, low, high, degree);
    }

    /// <summary><see cref="Exp"/> of the smallest degree among 7, 15, 31, 63, 127, 255 whose <see cref="FunctionFit.MaxError"/> is small enough.</summary>
    /// <exception cref="ArgumentException">None is; or an argument is unusable.</exception>
    public static FunctionFit ExpForError(double low, double high, double maxError) => ForError(d => Exp(low, high, d), maxError);

    /// <summary><see cref="Tanh"/> of the smallest sufficient degree; see <see cref="ExpForError"/>.</summary>
    /// <exception cref="ArgumentException">None is sufficient; or an argument is unusable.</exception>
    public static FunctionFit TanhForError(double bound, double maxError) => ForError(d => Tanh(bound, d), maxError);

    /// <summary><see cref="Reciprocal"/> of the smallest sufficient degree; see <see cref="ExpForError"/>.</summary>
    /// <exception cref="ArgumentException">None is sufficient; or an argument is unusable.</exception>
    public static FunctionFit ReciprocalForError(double low, double high, double maxError) => ForError(d => Reciprocal(low, high, d), maxError);

    private static FunctionFit Interpolated(string function, Func<double, double> f, double low, double high, int degree)
    {
        Domain.Check(low, high);
        return Cached($"{function} {Key(low)} {Key(high)} {degree}", () =>
        {
            var series = ChebyshevFit.Interpolate(f, low, high, degree);
            return Measured(new FunctionFit
            {
                Function = function,
                Method = $"Chebyshev interpolation degree {degree}",
                Low = low,
                High = high,
                Parts = [function == FunctionNames.Tanh ? ChebyshevFit.OddPart(series) : series],
                MaxError = 0,
                MaxRelativeError = 0,
            });
        });
    }

    private static FunctionFit ForError(Func<int, FunctionFit> make, double maxError)
    {
        Domain.CheckPositive(maxError, nameof(maxError));
        var fits = new List<FunctionFit>();
        foreach (var degree in Degrees)
        {
            fits.Add(make(degree));
            if (fits[^1].MaxError <= maxError)
            {
                return fits[^1];
            }
        }

        var best = fits.MinBy(f => f.MaxError)!;
        throw new ArgumentException(
            $"No degree up to {Degrees[^1]} brings {best.Function} on [{best.Low}, {best.High}] to an error of {maxError:g3}; "
            + $"the best is {best.MaxError:g3} with degree {best.Parts[0].Degree}. Narrow the domain or allow more.", nameof(maxError));
    }

    private static FunctionFit Measured(FunctionFit fit)
    {
        var error = Error(fit, fit.Low, fit.High);
        return (fit with { MaxError = error.Absolute, MaxRelativeError = error.Relative }).Validate();
    }

    private static ApproximationError Error(FunctionFit fit, double low, double high) =>
        ApproximationError.Measure(fit.Evaluate, fit.Exact, low, high);

    private static FunctionFit Cached(string key, Func<FunctionFit> make) => Cache.GetOrAdd(key, _ => new Lazy<FunctionFit>(make)).Value;

    private static string Key(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
