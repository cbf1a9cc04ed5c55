using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.He.Backends;

namespace ActorTrainer.He.Planning;

/// <summary>Seconds of each operation at some levels of a parameter set, measured on one machine at one degree of parallelism. Between levels they are interpolated.</summary>
public sealed record OperationCosts
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, Converters = { new JsonStringEnumConverter() } };

    /// <summary>Name of the parameter set.</summary>
    public required string Set { get; init; }

    /// <summary>Threads that one operation used.</summary>
    public required int Parallelism { get; init; }

    /// <summary>Levels that were measured, ascending.</summary>
    public required IReadOnlyList<int> Levels { get; init; }

    /// <summary>Seconds at each of <see cref="Levels"/>.</summary>
    public required IReadOnlyDictionary<Operation, IReadOnlyList<double>> Measured { get; init; }

    /// <summary>The same for <see cref="Operation.MultiplyDiagonal"/> and <see cref="Operation.MultiplyPlainUndivided"/> with diagonals that a <see cref="Scheme.DiagonalCache"/> holds, so that nothing is encoded; or nothing.</summary>
    public IReadOnlyDictionary<Operation, IReadOnlyList<double>> Held { get; init; } = new Dictionary<Operation, IReadOnlyList<double>>();

    /// <exception cref="ArgumentException">The text is no cost table, or a table with missing or impossible figures.</exception>
    public static OperationCosts Parse(string json)
    {
        try
        {
            var costs = JsonSerializer.Deserialize<OperationCosts>(json, Format) ?? throw new ArgumentException("Expected a table of costs, found nothing.", nameof(json));
            var sound = costs.Levels.Count > 0 && costs.Levels.Zip(costs.Levels.Skip(1)).All(pair => pair.First < pair.Second)
                && Enum.GetValues<Operation>().All(o => costs.Measured.TryGetValue(o, out var row) && IsSound(row)) && costs.Held.Values.All(IsSound);
            return sound ? costs : throw new ArgumentException("Expected ascending levels, and for each operation one time of zero or more seconds for each level. Measure the costs again.", nameof(json));

            bool IsSound(IReadOnlyList<double> row) => row.Count == costs.Levels.Count && row.All(t => t >= 0 && double.IsFinite(t));
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"Expected a table of costs: {e.Message}", nameof(json), e);
        }
    }

    public string ToJson() => JsonSerializer.Serialize(this, Format);

    /// <summary>Seconds of one operation at a level, by straight lines between measured levels and beyond the last two.</summary>
    /// <param name="held">Share, 0 to 1, of diagonals that a cache holds.</param>
    public double Seconds(Operation operation, int level, double held = 0) => held > 0 && Held.TryGetValue(operation, out var row)
        ? (held * Between(row, level)) + ((1 - held) * Between(Measured[operation], level))
        : Between(Measured[operation], level);

    private double Between(IReadOnlyList<double> row, int level)
    {
        if (Levels.Count == 1)
        {
            return row[0];
        }

        var right = 1;
        while (right < Levels.Count - 1 && Levels[right] < level)
        {
            right++;
        }

        var slope = (row[right] - row[right - 1]) / (Levels[right] - Levels[right - 1]);
        return Math.Max(0, row[right - 1] + (slope * (level - Levels[right - 1])));
    }
}
