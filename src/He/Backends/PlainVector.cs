using System.Numerics;

namespace ActorTrainer.He.Backends;

/// <summary>A plain operand of a program: slots that are encoded where they are used, at the level and scale of the use.</summary>
public sealed class PlainVector
{
    /// <summary>A power of two of numbers; fewer than the slots are repeated to fill them.</summary>
    /// <exception cref="ArgumentException">The number of values is not a power of two, or one is not finite.</exception>
    public PlainVector(IReadOnlyList<Complex> values)
        : this(values, 1)
    {
    }

    /// <param name="run">Values stay the same over runs of so many, a power of two, so that only the first of each has to be looked at.</param>
    internal PlainVector(IReadOnlyList<Complex> values, int run)
    {
        var firsts = Enumerable.Range(0, values.Count / run).Select(i => values[i * run]);
        if (values.Count == 0 || !BitOperations.IsPow2(values.Count) || !firsts.All(v => double.IsFinite(v.Real) && double.IsFinite(v.Imaginary)))
        {
            throw new ArgumentException($"Expected a power of two of finite values; found {values.Count}.", nameof(values));
        }

        (Values, Run, Magnitude) = (values, run, firsts.Max(v => v.Magnitude));
    }

    public PlainVector(IEnumerable<double> values)
        : this([.. values.Select(v => new Complex(v, 0))])
    {
    }

    public IReadOnlyList<Complex> Values { get; }

    /// <summary>Over so many slots values stay the same.</summary>
    internal int Run { get; }

    /// <summary>The largest size of a value.</summary>
    public double Magnitude { get; }
}
