using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Circuits;

/// <summary>
/// Σ cₖ·Tₖ(x) by Paterson–Stockmeyer in the Chebyshev basis (Bossuat, Mouchet, Troncoso-Pastoriza, Hubaux 2021, section 5) in ⌈log₂(d+1)⌉ levels.
/// Scales are propagated from the result down to the coefficients, which are encoded at what makes the result land on the canonical scale;
/// products that are summed are relinearised and rescaled once.
/// </summary>
public sealed class ChebyshevEvaluation : IDisposable
{
    private readonly Evaluator _evaluator;
    private readonly Dictionary<int, Ciphertext> _powers = [];
    private readonly int _babySteps;

    private ChebyshevEvaluation(Evaluator evaluator, Ciphertext x, int degree)
    {
        _evaluator = evaluator;
        _powers[1] = evaluator.DropTo(x, x.Level).WithMagnitude(1);
        _babySteps = Math.Max(1, (Depth(degree) + 1) / 2);
    }

    /// <summary>Levels that a polynomial of a degree takes.</summary>
    public static int Depth(int degree) => degree <= 0 ? 0 : 32 - int.LeadingZeroCount(degree);

    /// <param name="x">Slots in [−1, 1], at any scale.</param>
    /// <param name="coefficients">c₀ … c_d.</param>
    /// <param name="magnitude">A bound on the values of the polynomial there.</param>
    /// <returns>At <paramref name="x"/>'s level less <see cref="Depth"/>, at that level's canonical scale.</returns>
    /// <exception cref="MisuseException">Too few levels are left.</exception>
    public static Ciphertext Evaluate(Evaluator evaluator, Ciphertext x, IReadOnlyList<double> coefficients, double magnitude = 1)
    {
        var degree = coefficients.Count - 1;
        while (degree > 0 && coefficients[degree] == 0)
        {
            degree--;
        }

        var depth = Math.Max(1, Depth(degree));
        if (x.Level < depth)
        {
            throw new MisuseException($"A polynomial of degree {degree} takes {depth} levels, and {x} has {x.Level}. Refresh it first, or use a lower degree.");
        }

        using var run = new ChebyshevEvaluation(evaluator, x, degree);
        var target = x.Level - depth;
        return run.Value([.. coefficients.Take(degree + 1)], target, evaluator.Parameters.ScaleAt(target)).WithMagnitude(magnitude);
    }

    public void Dispose()
    {
        foreach (var power in _powers.Values)
        {
            power.Dispose();
        }
    }

    /// <summary>At a level and scale.</summary>
    private Ciphertext Value(double[] coefficients, int level, Scale scale)
    {
        using var raw = Raw(coefficients, level + 1, scale * Prime(level + 1));
        using var two = _evaluator.Relinearise(raw);
        return _evaluator.Rescale(two);
    }

    /// <summary>Before its relinearisation and rescale.</summary>
    private Ciphertext Raw(double[] coefficients, int level, Scale scale)
    {
        var bits = Math.Max(1, Depth(coefficients.Length - 1));
        if (bits == 1 || (bits <= _babySteps && _powers[1].Level - bits >= level))
        {
            return Sum(coefficients, level, scale);
        }

        // p = q·T_n + r, by T_{n+i} = 2·T_n·T_i − T_{n−i}.
        var n = 1 << (bits - 1);
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
        var product = factor is null ? _evaluator.Multiply(giant, quotient[0], scale / giant.Scale) : _evaluator.MultiplyLazy(factor, giant);
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

        // T_i = 2·T_a·T_b − T_{a−b} with a + b = i and a − b at most 1.
        var (a, b) = ((i + 1) / 2, i / 2);
        var level = Math.Min(Power(a).Level, Power(b).Level);
        using var x = _evaluator.DropTo(Power(a), level);
        using var y = _evaluator.DropTo(Power(b), level);
        using var product = _evaluator.Multiply(x, y);
        using var twice = _evaluator.Multiply(product, 2);
        Ciphertext difference;
        if (a == b)
        {
            difference = _evaluator.Add(twice, -1.0);
        }
        else
        {
            using var one = _evaluator.DropTo(Power(1), level);
            using var scaled = _evaluator.Multiply(one, 1, twice.Scale / one.Scale);
            difference = _evaluator.Subtract(twice, scaled);
        }

        using (difference)
        {
            return _powers[i] = _evaluator.Rescale(difference).WithMagnitude(1);
        }
    }

    private static Ciphertext Replace(Ciphertext first, Ciphertext? second, Ciphertext result)
    {
        first.Dispose();
        second?.Dispose();
        return result;
    }

    private Scale Prime(int level) => Scale.FromInteger(_evaluator.Parameters.Chain[level].Value);
}
