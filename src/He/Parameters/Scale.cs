using System.Globalization;

namespace ActorTrainer.He.Parameters;

/// <summary>
/// By what the numbers in a ciphertext are multiplied: a positive number with 106 bits of mantissa (two doubles), so that products
/// and quotients by primes over a whole run stay exact to 2^−100, and scales that should be equal are told from those that are not.
/// </summary>
public readonly record struct Scale : IComparable<Scale>
{
    private const double EqualWithin = 1.0 / (1L << 62);

    /// <exception cref="ArgumentOutOfRangeException">Not a finite, positive, normal number.</exception>
    public Scale(double high, double low = 0)
    {
        var sum = high + low;
        if (!double.IsNormal(sum) || sum <= 0 || !double.IsFinite(low))
        {
            throw new ArgumentOutOfRangeException(nameof(high), high, "A scale is a finite, positive, normal number.");
        }

        (High, Low) = (sum, low - (sum - high));
    }

    public static Scale One => new(1);

    /// <summary>The leading double.</summary>
    public double High { get; }

    /// <summary>What the leading double leaves out.</summary>
    public double Low { get; }

    public double Log2 => Math.Log2(High);

    public static Scale FromPower(int bits) => new(Math.ScaleB(1, bits));

    public static Scale FromInteger(ulong value)
    {
        var high = (double)value;
        return new Scale(high, (double)((Int128)value - (Int128)high));
    }

    public static Scale operator *(Scale a, Scale b)
    {
        var product = a.High * b.High;
        var error = Math.FusedMultiplyAdd(a.High, b.High, -product);
        return new Scale(product, error + ((a.High * b.Low) + (a.Low * b.High)));
    }

    public static Scale operator /(Scale a, Scale b)
    {
        var quotient = a.High / b.High;
        var rest = Math.FusedMultiplyAdd(-quotient, b.High, a.High) + a.Low - (quotient * b.Low);
        return new Scale(quotient, rest / b.High);
    }

    public static bool operator <(Scale a, Scale b) => a.CompareTo(b) < 0;

    public static bool operator >(Scale a, Scale b) => a.CompareTo(b) > 0;

    public static bool operator <=(Scale a, Scale b) => a.CompareTo(b) <= 0;

    public static bool operator >=(Scale a, Scale b) => a.CompareTo(b) >= 0;

    /// <summary>Whether both are the same up to the rounding of many operations: a relative 2^−62.</summary>
    public bool Matches(Scale other) => Math.Abs(RelativeGap(other)) <= EqualWithin;

    /// <summary>(this − other) / other.</summary>
    public double RelativeGap(Scale other) => (High - other.High + (Low - other.Low)) / other.High;

    public int CompareTo(Scale other) => High.CompareTo(other.High) is var order and not 0 ? order : Low.CompareTo(other.Low);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"2^{Log2:F6}");
}
