namespace ActorTrainer.He.Approximation;

/// <summary>
/// The exchange itself, on angles: minimises max |target(θ) − factor(θ)·Σ cₖ·cos kθ| over [0, π] for factor > 0.
/// In the Chebyshev basis with references near the Chebyshev points the systems are well conditioned, so doubles do.
/// </summary>
internal static class Remez
{
    public sealed record Solution(double[] Coefficients, double Levelled, double Max, double[] Angles, int Iterations);

    private const int MaxIterations = 100;
    private const int StepsPerGap = 16;
    private const double Tolerance = 1e-6;

    private const double UnitRoundoff = 1.1102230246251565e-16;

    /// <exception cref="FitException">The exchange does not settle.</exception>
    public static Solution Solve(Func<double, double> target, Func<double, double> factor, int degree)
    {
        // Errors this small beside the function itself are rounding (of Clenshaw's recurrence at the ends), and alternate no more.
        var floor = UnitRoundoff * (256 + (degree * degree / 8.0));
        var angles = Enumerable.Range(0, degree + 2).Select(i => Math.PI * i / (degree + 1)).ToArray();
        for (var iteration = 1; iteration <= MaxIterations; iteration++)
        {
            var (coefficients, level) = Level(target, factor, angles);
            double Error(double angle) => target(angle) - (factor(angle) * ChebyshevSeries.Clenshaw(coefficients, Math.Cos(angle)));
            var extrema = Extrema(Error, angles);
            var max = extrema.Select(e => Math.Abs(e.Error)).DefaultIfEmpty(0).Max();
            if (!double.IsFinite(max))
            {
                throw new FitException($"The function or its weight is not finite everywhere, as a fit of degree {degree} needs.");
            }

            if (max - Math.Abs(level) <= Math.Max(Tolerance * max, floor * angles.Max(a => Math.Abs(target(a)))))
            {
                var reference = extrema.Count < angles.Length ? angles : Thin(extrema, angles.Length);
                return new Solution(coefficients, Math.Abs(level), max, reference, iteration);
            }

            // Symmetric functions may start with too few alternations; exchanging one point always raises the levelled error.
            angles = extrema.Count < angles.Length
                ? Exchange(angles, level, extrema.MaxBy(e => Math.Abs(e.Error)))
                : Thin(extrema, angles.Length);
        }

        throw new FitException($"The exchange for degree {degree} did not settle in {MaxIterations} rounds; "
            + "lower the degree or narrow the domain.");
    }

    /// <summary>The reference with the worst point in the place of a neighbour whose error has the same sign.</summary>
    private static double[] Exchange(double[] angles, double level, (double Angle, double Error) worst)
    {
        bool SameSign(int i) => (i % 2 == 0) == (level >= 0) == (worst.Error >= 0);
        var after = Array.FindIndex(angles, a => a >= worst.Angle);
        var changed = angles.ToArray();
        if (after > 0)
        {
            changed[SameSign(after) ? after : after - 1] = worst.Angle;
        }
        else if (after == 0)
        {
            // Before the first point: of another sign than it, it joins as the first and the last one leaves.
            changed = SameSign(0) ? [worst.Angle, .. angles[1..]] : [worst.Angle, .. angles[..^1]];
        }
        else
        {
            changed = SameSign(angles.Length - 1) ? [.. angles[..^1], worst.Angle] : [.. angles[1..], worst.Angle];
        }

        return changed;
    }

    /// <summary>The polynomial whose error has one size and alternating sign in the reference.</summary>
    private static (double[] Coefficients, double Level) Level(Func<double, double> target, Func<double, double> factor, double[] angles)
    {
        var size = angles.Length;
        var rows = new double[size][];
        for (var i = 0; i < size; i++)
        {
            var (row, scale) = (new double[size + 1], factor(angles[i]));
            for (var k = 0; k < size - 1; k++)
            {
                row[k] = scale * Math.Cos(k * angles[i]);
            }

            row[size - 1] = i % 2 == 0 ? 1 : -1;
            row[size] = target(angles[i]);
            rows[i] = row;
        }

        var solution = LinearSystem.Solve(rows);
        return (solution[..^1], solution[^1]);
    }

    /// <summary>The largest error of every stretch of one sign, in order: their signs alternate.</summary>
    private static List<(double Angle, double Error)> Extrema(Func<double, double> error, double[] angles)
    {
        var grid = Grid(angles);
        var values = grid.Select(error).ToArray();
        if (!values.All(double.IsFinite))
        {
            return [(0, double.NaN)];
        }

        var extrema = new List<(double Angle, double Error)>();
        for (var start = 0; start < grid.Count;)
        {
            var (end, best, sign) = (start, start, Math.Sign(values[start]));
            for (; end < grid.Count && Math.Sign(values[end]) == sign; end++)
            {
                best = Math.Abs(values[end]) > Math.Abs(values[best]) ? end : best;
            }

            // Zero (a node by chance) has no sign to alternate.
            if (sign != 0)
            {
                var (at, value) = GoldenSection.Maximum(
                    angle => sign * error(angle), grid[Math.Max(0, best - 1)], grid[Math.Min(grid.Count - 1, best + 1)]);
                extrema.Add(value > Math.Abs(values[best]) ? (at, sign * value) : (grid[best], values[best]));
            }

            start = end;
        }

        return extrema;
    }

    /// <summary>Even steps between the reference's points: dense wherever they are.</summary>
    private static List<double> Grid(double[] angles)
    {
        var grid = new List<double> { 0 };
        foreach (var angle in angles.Append(Math.PI))
        {
            var from = grid[^1];
            if (angle > from)
            {
                grid.AddRange(Enumerable.Range(1, StepsPerGap).Select(j => j == StepsPerGap ? angle : from + ((angle - from) * j / StepsPerGap)));
            }
        }

        return grid;
    }

    /// <summary>As many alternating extrema as the reference has, the largest kept.</summary>
    private static double[] Thin(List<(double Angle, double Error)> extrema, int count)
    {
        double Size(int i) => Math.Abs(extrema[i].Error);
        while (extrema.Count > count)
        {
            var end = Size(0) < Size(extrema.Count - 1) ? 0 : extrema.Count - 1;
            var pair = Enumerable.Range(0, extrema.Count - 1).MinBy(i => Math.Max(Size(i), Size(i + 1)));
            if (extrema.Count - count >= 2 && Math.Max(Size(pair), Size(pair + 1)) < Size(end))
            {
                extrema.RemoveRange(pair, 2);
            }
            else
            {
                extrema.RemoveAt(end);
            }
        }

        return [.. extrema.Select(e => e.Angle)];
    }
}
