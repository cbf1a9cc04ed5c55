using System.Numerics;

namespace ActorTrainer.He.Backends;

/// <summary>Where the diagonals of a linear map lie, and what its baby and giant steps cost for a number of baby steps: all that the choice of steps needs.</summary>
internal sealed class DiagonalPlaces
{
    private readonly int _rows;
    private readonly (int Column, int Place)[] _distinct;

    /// <param name="rows">Results of the map.</param>
    /// <param name="diagonals">Input and shift of each diagonal, at least one.</param>
    public DiagonalPlaces(int rows, IReadOnlyCollection<(int Column, int Shift)> diagonals)
    {
        _rows = rows;
        First = diagonals.Min(d => d.Shift);
        Last = diagonals.Max(d => d.Shift);
        Stride = Math.Max(1, diagonals.Aggregate(0, (gcd, d) => (int)BigInteger.GreatestCommonDivisor(gcd, d.Shift - First)));
        _distinct = [.. diagonals.Select(d => (d.Column, PlaceOf(d.Shift))).Distinct()];
    }

    /// <summary>The smallest shift.</summary>
    public int First { get; }

    /// <summary>The largest shift.</summary>
    public int Last { get; }

    /// <summary>The greatest common divisor of the shifts' distances.</summary>
    public int Stride { get; }

    /// <summary>Places from the first to the last diagonal, empty ones in between included.</summary>
    public int Count => PlaceOf(Last) + 1;

    /// <summary>(shift − First)/Stride.</summary>
    public int PlaceOf(int shift) => (shift - First) / Stride;

    /// <summary>What it costs, in baby steps.</summary>
    /// <param name="babySteps">g.</param>
    public long Cost(int babySteps) =>
        ((long)DiagonalMatrix.GiantCost * _rows * ((Count - 1) / babySteps)) + _distinct.Select(d => (d.Column, d.Place % babySteps)).Distinct().Count();

    /// <summary>The number of baby steps that costs least, and among equals the fewest.</summary>
    public int Best() => Enumerable.Range(1, Count).MinBy(Cost);

    /// <summary>How many of a number of baby steps each map has, so that all together cost least; among equals, the first map has the fewest.</summary>
    /// <param name="babySteps">For all together, at least as many as maps.</param>
    public static IReadOnlyList<int> Distribute(IReadOnlyList<DiagonalPlaces> maps, int babySteps)
    {
        // The cheapest choice for the maps so far, by the steps that they may take; null where those are too few.
        var best = new Choice?[babySteps + 1];
        Array.Fill(best, new Choice(0, []));
        foreach (var map in maps.Reverse())
        {
            long[] costs = [.. Enumerable.Range(0, Math.Min(map.Count, babySteps) + 1).Select(g => g == 0 ? 0 : map.Cost(g))];
            best = [.. best.Select((_, steps) => Enumerable.Range(1, Math.Min(costs.Length - 1, steps))
                .Select(g => best[steps - g] is { } others ? new Choice(costs[g] + others.Cost, [g, .. others.Steps]) : null)
                .OfType<Choice>().MinBy(choice => choice.Cost))];
        }

        return best[babySteps]?.Steps ?? throw new ArgumentOutOfRangeException(nameof(babySteps), babySteps, $"Expected at least one baby step for each of {maps.Count} linear maps.");
    }

    private sealed record Choice(long Cost, int[] Steps);
}
