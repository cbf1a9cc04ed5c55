using System.Collections.Concurrent;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Circuits;

/// <summary>
/// Σ cₖ·Tₖ(x) by Paterson–Stockmeyer in the Chebyshev basis (Bossuat, Mouchet, Troncoso-Pastoriza, Hubaux 2021, section 5) in ⌈log₂(d+1)⌉ levels.
/// Scales are propagated from the result down to the coefficients, which are encoded at what makes the result land on the canonical scale;
/// products that are summed are relinearised and rescaled once. How many powers there are and how many products a sum has is what a plan
/// finds cheapest for the coefficients that are not zero.
/// </summary>
public sealed class ChebyshevEvaluation : IDisposable
{
    /// <summary>What a relinearisation takes in products (measured; bench/README.md).</summary>
    private const int RelinearisationCost = 15;

    private static readonly int[] Widths = [2, 4, 8];
    private static readonly ConcurrentDictionary<string, Shape> Shapes = new();

    private readonly Evaluator _evaluator;
    private readonly Dictionary<int, Ciphertext> _powers = [];
    private readonly Shape _shape;

    private ChebyshevEvaluation(Evaluator evaluator, Ciphertext x, Shape shape)
    {
        _evaluator = evaluator;
        // What its own noise does to the result is known from the polynomial's slope; powers would count it once each, as if it were not the same.
        _powers[1] = evaluator.DropTo(x, x.Level).WithMagnitude(1).WithNoise(0);
        _shape = shape;
    }

    /// <summary>Levels that a polynomial of a degree takes.</summary>
    public static int Depth(int degree) => degree <= 0 ? 0 : 32 - int.LeadingZeroCount(degree);

    /// <param name="x">Slots in [−1, 1], at any scale.</param>
    /// <param name="coefficients">c₀ … c_d.</param>
    /// <param name="magnitude">A bound on the values of the polynomial there.</param>
    /// <param name="scale">Of the result; when null, the canonical one of its level.</param>
    /// <returns>At <paramref name="x"/>'s level less <see cref="Depth"/>, and one less at least.</returns>
    /// <exception cref="MisuseException">Too few levels are left.</exception>
    public static Ciphertext Evaluate(Evaluator evaluator, Ciphertext x, IReadOnlyList<double> coefficients, double magnitude = 1, Scale? scale = null)
    {
        var degree = coefficients.Count - 1;
        while (degree > 0 && coefficients[degree] == 0)
        {
            degree--;
        }

        var depth = Math.Max(1, Depth(degree));
        if (evaluator.Parameters.Depth(x.Level) < depth)
        {
            throw new MisuseException($"A polynomial of degree {degree} takes {depth} levels, and {x} has {evaluator.Parameters.Depth(x.Level)}. Refresh it first, or use a lower degree.");
        }

        var target = evaluator.Parameters.After(x.Level, depth);
        double[] kept = [.. coefficients.Take(degree + 1)];
        using var run = new ChebyshevEvaluation(evaluator, x, Cheapest(evaluator.Parameters, x.Level, kept));
        var result = run.Value(kept, target, scale ?? evaluator.Parameters.ScaleAt(target));
        var gain = ChebyshevBounds.Slope(kept) * result.Scale.High / x.Scale.High;
        return result.WithMagnitude(magnitude).WithNoise(result.NoiseVariance + (gain * gain * x.NoiseVariance));
    }

    public void Dispose()
    {
        foreach (var power in _powers.Values)
        {
            power.Dispose();
        }
    }

    /// <summary>The shape that a plan finds to take the least time: the same for all polynomials with the same coefficients zero.</summary>
    private static Shape Cheapest(CkksParameters parameters, int level, double[] coefficients) =>
        Shapes.GetOrAdd(string.Concat(coefficients.Select(c => c == 0 ? '0' : '1')), _ => Planned(parameters, level, coefficients));

    private static Shape Planned(CkksParameters parameters, int level, double[] coefficients)
    {
        var depth = Math.Max(1, Depth(coefficients.Length - 1));
        var plan = new PlanBackend(parameters);
        var target = parameters.After(level, depth);
        var shapes = from babySteps in Enumerable.Range(1, depth) from width in Widths select new Shape(babySteps, width);
        return shapes.MinBy(shape =>
        {
            var evaluator = new Evaluator(plan);
            using var run = new ChebyshevEvaluation(evaluator, plan.Encrypt(level), shape);
            run.Value(coefficients, target, parameters.ScaleAt(target));
            return (RelinearisationCost * evaluator.Ledger.Count(Operation.Relinearise)) + evaluator.Ledger.Count(Operation.Multiply);
        });
    }

    /// <summary>At a level and scale.</summary>
    private Ciphertext Value(double[] coefficients, int level, Scale scale)
    {
        var above = _evaluator.Parameters.Above(level);
        using var raw = Raw(coefficients, above, scale * _evaluator.Parameters.Divisor(above));
        using var two = _evaluator.Relinearise(raw);
        return _evaluator.Rescale(two);
    }

    /// <summary>Before its relinearisation and rescale.</summary>
    private Ciphertext Raw(double[] coefficients, int level, Scale scale)
    {
        var bits = Math.Max(1, Depth(coefficients.Length - 1));
        if (bits == 1 || (bits <= _shape.BabyBits && Reaches(bits, level)))
        {
            return Sum(coefficients, level, scale);
        }

        // p = q·T_n + r, by T_{n+i} = 2·T_n·T_i − T_{n−i}.
        var n = Divisor(coefficients.Length, level);
        var quotient = new double[coefficients.Length - n];
        var rest = coefficients[..n];
        quotient[0] = coefficients[n];
        for (var i = 1; i < quotient.Length; i++)
        {
            quotient[i] = 2 * coefficients[n + i];
            rest[n - i] -= coefficients[n + i];
        }

        using var giant = _evaluator.DropTo(Power(n), level);
        using var factor = quotient.Length == 1 ? null : Value(quotient, level, scale / giant.Scale);
        var product = factor is null
            ? _evaluator.Multiply(giant, quotient[0], scale / giant.Scale)
            : _evaluator.MultiplyLazy(factor.WithMagnitude(ChebyshevBounds.Peak(quotient)), giant);
        if (rest.All(c => c == 0))
        {
            return product;
        }

        using (product)
        {
            using var remainder = Raw(rest, level, scale);
            return _evaluator.Add(product, remainder);
        }
    }

    /// <summary>
    /// Half of the next power of two, so that quotient and rest are halves. Polynomials of few baby widths that have a level to spare are divided by
    /// the largest multiple of the width instead: every quotient then is a sum of baby steps, which needs no relinearisation.
    /// </summary>
    private int Divisor(int count, int level)
    {
        var baby = 1 << _shape.BabyBits;
        var multiple = (count - 1) / baby * baby;
        return count <= _shape.Width * baby && Reaches(Math.Max(Depth(multiple - 1), _shape.BabyBits + 1), level)
            ? multiple
            : 1 << (Depth(count - 1) - 1);
    }

    /// <summary>A short polynomial as a sum of powers times constants.</summary>
    private Ciphertext Sum(double[] coefficients, int level, Scale scale)
    {
        Ciphertext? sum = null;
        for (var i = 1; i < coefficients.Length || sum is null; i++)
        {
            var coefficient = i < coefficients.Length ? coefficients[i] : 0;
            if (coefficient == 0 && i + 1 < coefficients.Length)
            {
                continue;
            }

            using var power = _evaluator.DropTo(Power(i < coefficients.Length ? i : 1), level);
            var term = _evaluator.Multiply(power, coefficient, scale / power.Scale);
            sum = sum is null ? term : Replace(sum, term, _evaluator.Add(sum, term));
        }

        return coefficients[0] == 0 ? sum : Replace(sum, null, _evaluator.Add(sum, coefficients[0]));
    }

    /// <summary>T_i at depth ⌈log₂ i⌉, made when first asked for.</summary>
    private Ciphertext Power(int i)
    {
        if (_powers.TryGetValue(i, out var known))
        {
            return known;
        }

        var (a, b) = Factors(i);
        var level = Math.Min(Power(a).Level, Power(b).Level);
        using var x = _evaluator.DropTo(Power(a), level);
        using var y = a == b ? null : _evaluator.DropTo(Power(b), level);
        using var product = _evaluator.Multiply(x, y ?? x);
        using var twice = _evaluator.Multiply(product, 2);
        Ciphertext difference;
        if (a == b)
        {
            difference = _evaluator.Add(twice, -1.0);
        }
        else
        {
            using var rest = _evaluator.DropTo(Power(a - b), level);
            using var scaled = _evaluator.Multiply(rest, 1, twice.Scale / rest.Scale);
            difference = _evaluator.Subtract(twice, scaled);
        }

        using (difference)
        {
            return _powers[i] = _evaluator.Rescale(difference).WithMagnitude(1);
        }
    }

    /// <summary>T_i = 2·T_a·T_b − T_{a−b} with a + b = i and both at less depth: those of which most is known, or a power of two that giant steps need.</summary>
    private (int A, int B) Factors(int i)
    {
        var half = 1 << (Depth(i - 1) - 1);
        int Unknown(int power) => power == 0 || _powers.ContainsKey(power) ? 0 : int.IsPow2(power) ? 1 : 2;
        return Enumerable.Range((i + 1) / 2, half - ((i + 1) / 2) + 1).Select(a => (A: a, B: i - a))
            .MinBy(f => Unknown(f.A) + (f.A == f.B ? 0 : Unknown(f.B)) + Unknown(f.A - f.B));
    }

    private static Ciphertext Replace(Ciphertext first, Ciphertext? second, Ciphertext result)
    {
        first.Dispose();
        second?.Dispose();
        return result;
    }

    /// <summary>Whether a power of this depth still stands at a level.</summary>
    private bool Reaches(int depth, int level) => _evaluator.Parameters.After(_powers[1].Level, depth) >= level;

    /// <param name="BabyBits">log₂ of the powers that sums are made of.</param>
    /// <param name="Width">How many such sums stand in one sum of products at most.</param>
    private readonly record struct Shape(int BabyBits, int Width);
}
