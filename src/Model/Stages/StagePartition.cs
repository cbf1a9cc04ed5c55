using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Stages;

/// <summary>A cut of the model's units (embedding, layers, head) into consecutive, non-empty parts: every unit lies in exactly one part.</summary>
public sealed class StagePartition
{
    private StagePartition(IReadOnlyList<int> counts)
    {
        var parts = new UnitRange[counts.Count];
        var first = 0;
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = new UnitRange(first, counts[i]);
            first += counts[i];
        }

        Parts = parts;
    }

    /// <summary>The parts in the model's order.</summary>
    public IReadOnlyList<UnitRange> Parts { get; }

    /// <summary>Number of units in all parts.</summary>
    public int Units => Parts[^1].End;

    /// <summary>Index of the part that owns a unit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such unit.</exception>
    public int PartOf(int unit)
    {
        for (var i = 0; i < Parts.Count; i++)
        {
            if (Parts[i].Contains(unit))
            {
                return i;
            }
        }

        throw new ArgumentOutOfRangeException(nameof(unit), unit, $"The model has units 0 to {Units - 1}.");
    }

    /// <summary>Parts of equal size; when that does not come out even, the first ones have one unit more.</summary>
    /// <exception cref="RefusedException">There are more parts than units.</exception>
    public static StagePartition ByCount(int units, int parts)
    {
        Check(units, parts);
        var counts = new int[parts];
        for (var i = 0; i < parts; i++)
        {
            counts[i] = units / parts + (i < units % parts ? 1 : 0);
        }

        return new StagePartition(counts);
    }

    /// <summary>
    /// The cut whose dearest part is as cheap as possible (exact). Among those the one with the smallest sum of squared part costs, so
    /// that the other parts are even too; among those the one with the earliest cuts.
    /// </summary>
    /// <param name="unitCosts">Cost of each unit, e.g. measured seconds of forward and backward; not negative.</param>
    /// <param name="parts">Number of parts.</param>
    /// <exception cref="RefusedException">There are more parts than units.</exception>
    /// <exception cref="ArgumentException">A cost is negative or not finite.</exception>
    public static StagePartition ByCost(IReadOnlyList<double> unitCosts, int parts)
    {
        Check(unitCosts.Count, parts);
        for (var i = 0; i < unitCosts.Count; i++)
        {
            if (!(unitCosts[i] >= 0 && double.IsFinite(unitCosts[i])))
            {
                throw new ArgumentException($"The cost of unit {i} is {unitCosts[i]}; costs are finite and not negative.", nameof(unitCosts));
            }
        }

        var (largest, _) = Best(unitCosts, parts, Math.Max, cost => cost);
        var (_, counts) = Best(unitCosts, parts, (a, b) => a + b, cost => cost <= largest ? cost * cost : double.PositiveInfinity);
        return new StagePartition(counts);
    }

    /// <summary>The cut that the user gave: units of each part, in order.</summary>
    /// <param name="cut">Units of each part.</param>
    /// <param name="units">Of the model.</param>
    /// <param name="what">What they are, for people; null: embedding, layers and head.</param>
    /// <exception cref="RefusedException">A part is empty, or the parts do not add up to the model's units.</exception>
    public static StagePartition FromCut(IReadOnlyList<int> cut, int units, string? what = null)
    {
        var text = $"pipeline.cut=[{string.Join(", ", cut)}]";
        if (cut.Count == 0)
        {
            throw new RefusedException($"{text} has no parts: give the number of units of each part, {units} in all.");
        }

        for (var i = 0; i < cut.Count; i++)
        {
            if (cut[i] < 1)
            {
                throw new RefusedException($"{text}: part {i} has {cut[i]} units; every part needs at least one of the model's {units} units.");
            }
        }

        var sum = cut.Sum(count => (long)count);
        if (sum != units)
        {
            throw new RefusedException(
                $"{text} covers {sum} units, but the model has {units} ({what ?? $"embedding, {Math.Max(0, units - 2)} layers, head"}): make the numbers add up to {units}.");
        }

        return new StagePartition(cut);
    }

    /// <summary>Units of each part, e.g. <c>[2, 2]</c>: the value of <c>pipeline.cut</c> that gives this partition.</summary>
    public override string ToString() => $"[{string.Join(", ", Parts.Select(part => part.Count))}]";

    private static void Check(int units, int parts)
    {
        if (parts < 1)
        {
            throw new RefusedException($"A model cannot be cut into {parts} parts: pipeline.stages × pipeline.chunks must be at least 1.");
        }

        if (parts > units)
        {
            throw new RefusedException(
                $"The model has {units} units (embedding, layers, head) and cannot be cut into {parts} parts (pipeline.stages × pipeline.chunks): "
                + $"use at most {units} parts or more layers.");
        }
    }

    /// <summary>Dynamic programme over suffixes: the best way to cut units i… into k parts, under any order-preserving way to join costs.</summary>
    private static (double Cost, int[] Counts) Best(
        IReadOnlyList<double> unitCosts, int parts, Func<double, double, double> join, Func<double, double> partCost)
    {
        var units = unitCosts.Count;
        var best = new double[parts + 1, units + 1];
        var first = new int[parts + 1, units + 1];
        for (var k = 1; k <= parts; k++)
        {
            for (var i = 0; i <= units - k; i++)
            {
                best[k, i] = double.PositiveInfinity;
                first[k, i] = k == 1 ? units - i : 1;
                var sum = 0.0;
                for (var end = i + 1; end <= units - (k - 1); end++)
                {
                    sum += unitCosts[end - 1];
                    if (k == 1 && end < units)
                    {
                        continue;
                    }

                    var cost = k == 1 ? partCost(sum) : join(partCost(sum), best[k - 1, end]);
                    if (cost < best[k, i])
                    {
                        best[k, i] = cost;
                        first[k, i] = end - i;
                    }
                }
            }
        }

        var counts = new int[parts];
        for (int part = 0, unit = 0; part < parts; unit += counts[part++])
        {
            counts[part] = first[parts - part, unit];
        }

        return (best[parts, 0], counts);
    }
}
