using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace ActorTrainer.He.Approximation;

/// <summary>
/// A polynomial Σ cₖ·Tₖ(t) with t the place of x in [<see cref="Low"/>, <see cref="High"/>] mapped onto [−1, 1].
/// Equal when every number is.
/// </summary>
public sealed record ChebyshevSeries : IJsonOnDeserialized
{
    /// <summary>The highest degree that fits and files may have.</summary>
    public const int MaxDegree = 1023;

    [JsonConstructor]
    internal ChebyshevSeries()
    {
    }

    /// <exception cref="ArgumentException">The domain is empty, inverted or not finite, or so is a coefficient, or there is none.</exception>
    [SetsRequiredMembers]
    public ChebyshevSeries(double low, double high, IReadOnlyList<double> coefficients)
    {
        Low = low;
        High = high;
        Coefficients = [.. coefficients];
        Validate();
    }

    public required double Low { get; init; }

    public required double High { get; init; }

    /// <summary>c₀ … c_d; c₀ counts in full.</summary>
    public required IReadOnlyList<double> Coefficients { get; init; }

    [JsonIgnore]
    public int Degree => Coefficients.Count - 1;

    /// <summary>
    /// Levels that Paterson–Stockmeyer evaluation takes: ⌈log₂(degree + 1)⌉. The map onto [−1, 1] is not counted:
    /// it folds into whatever plain product made the input.
    /// </summary>
    [JsonIgnore]
    public int Depth => DepthOf(Degree);

    public static int DepthOf(int degree) => degree <= 0 ? 0 : 32 - int.LeadingZeroCount(degree);

    /// <summary>The polynomial at x, by Clenshaw's recurrence; outside the domain too, where it grows like x^degree.</summary>
    public double Evaluate(double x) => Clenshaw(Coefficients, ((x - Low) - (High - x)) / (High - Low));

    public bool Equals(ChebyshevSeries? other) => other is not null && Low.Equals(other.Low) && High.Equals(other.High)
        && Coefficients.SequenceEqual(other.Coefficients);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Low);
        hash.Add(High);
        foreach (var coefficient in Coefficients)
        {
            hash.Add(coefficient);
        }

        return hash.ToHashCode();
    }

    void IJsonOnDeserialized.OnDeserialized() => Validate();

    /// <summary>Σ cₖ·Tₖ(t).</summary>
    internal static double Clenshaw(IReadOnlyList<double> coefficients, double t)
    {
        double next = 0, afterNext = 0;
        for (var k = coefficients.Count - 1; k > 0; k--)
        {
            (next, afterNext) = (coefficients[k] + (2 * t * next) - afterNext, next);
        }

        return coefficients[0] + (t * next) - afterNext;
    }

    private void Validate()
    {
        Domain.Check(Low, High);
        if (Coefficients is not { Count: > 0 and <= MaxDegree + 1 } || !Coefficients.All(double.IsFinite))
        {
            throw new ArgumentException($"A Chebyshev series needs 1 to {MaxDegree + 1} finite coefficients; found {Coefficients?.Count ?? 0}.");
        }
    }
}
