namespace ActorTrainer.Model.Ranges;

/// <summary>What is known of the inputs of one function at one place. Sums of parts do not depend on how the inputs were divided, but for rounding.</summary>
public sealed record RangeStatistics
{
    /// <summary>Inputs seen.</summary>
    public required long Count { get; init; }

    public required double Min { get; init; }

    public required double Max { get; init; }

    /// <summary>Sum of the inputs.</summary>
    public required double Sum { get; init; }

    /// <summary>Sum of their squares.</summary>
    public required double SumOfSquares { get; init; }

    /// <summary>Mean of the inputs.</summary>
    public double Mean => Sum / Count;

    /// <summary>Standard deviation of the inputs.</summary>
    public double Deviation => Math.Sqrt(Math.Max(0, (SumOfSquares / Count) - (Mean * Mean)));

    /// <summary>Both together.</summary>
    public RangeStatistics With(RangeStatistics other) => new()
    {
        Count = Count + other.Count,
        Min = Math.Min(Min, other.Min),
        Max = Math.Max(Max, other.Max),
        Sum = Sum + other.Sum,
        SumOfSquares = SumOfSquares + other.SumOfSquares,
    };
}
