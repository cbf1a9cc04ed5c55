using System.Numerics;

namespace ActorTrainer.He.Backends;

/// <summary>A plain operand of a program: slots that are encoded where they are used, at the level and scale of the use.</summary>
public sealed class PlainVector
{
    /// <summary>A power of two of numbers; fewer than the slots are repeated to fill them.</summary>
    /// <exception cref="ArgumentException">The number of values is not a power of two, or one is not finite.</exception>
    public PlainVector(IReadOnlyList<Complex> values)
    {
        if (values.Count == 0 || !BitOperations.IsPow2(values.Count) || !values.All(v => double.IsFinite(v.Real) && double.IsFinite(v.Imaginary)))
        {
            throw new ArgumentException($"Expected a power of two of finite values; found {values.Count}.", nameof(values));
        }

        Values = values;
        Magnitude = values.Max(v => v.Magnitude);
    }

    public PlainVector(IEnumerable<double> values)
        : this([.. values.Select(v => new Complex(v, 0))])
    {
    }

    public IReadOnlyList<Complex> Values { get; }

    /// <summary>The largest size of a value.</summary>
    public double Magnitude { get; }
}
