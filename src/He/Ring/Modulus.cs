namespace ActorTrainer.He.Ring;

/// <summary>A prime of at most 61 bits, with exact arithmetic on residues in [0, q) by Barrett's reduction of 128-bit products, without branches on them.</summary>
public readonly record struct Modulus
{
    private readonly ulong _ratioHigh;
    private readonly ulong _ratioLow;

    /// <exception cref="ArgumentOutOfRangeException">The value is below 2 or has more than 61 bits.</exception>
    public Modulus(ulong value)
    {
        if (value < 2 || value >= 1UL << 61)
        {
            throw new ArgumentOutOfRangeException(nameof(value), value, "A modulus is at least 2 and below 2^61.");
        }

        Value = value;
        // floor(2^128 / q): 2^128 − 1 gives the same, since q divides 2^128 only if it is a power of two, where the difference is harmless.
        var ratio = UInt128.MaxValue / value;
        (_ratioHigh, _ratioLow) = ((ulong)(ratio >> 64), (ulong)ratio);
    }

    public ulong Value { get; }

    /// <summary>log₂ q, not rounded.</summary>
    public double Bits => Math.Log2(Value);

    /// <summary>a + b mod q; both in [0, q).</summary>
    public ulong Add(ulong a, ulong b)
    {
        var sum = a + b;
        return sum - (Value & Mask(sum >= Value));
    }

    /// <summary>a − b mod q; both in [0, q).</summary>
    public ulong Subtract(ulong a, ulong b) => a - b + (Value & Mask(a < b));

    public ulong Negate(ulong a) => (Value - a) & Mask(a != 0);

    /// <summary>a·b mod q, exact for any 64-bit inputs whose product is below 2^64·q.</summary>
    public ulong Multiply(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return Reduce(high, low);
    }

    /// <summary>(high·2^64 + low) mod q.</summary>
    public ulong Reduce(ulong high, ulong low)
    {
        // The quotient floor(x·ratio / 2^128), of which only the low word counts; it is at most one too small.
        var carry = Math.BigMul(low, _ratioLow, out _);
        var middleHigh = Math.BigMul(low, _ratioHigh, out var middleLow);
        middleLow += carry;
        middleHigh += middleLow < carry ? 1UL : 0;
        var crossHigh = Math.BigMul(high, _ratioLow, out var crossLow);
        middleLow += crossLow;
        crossHigh += middleLow < crossLow ? 1UL : 0;
        var quotient = (high * _ratioHigh) + middleHigh + crossHigh;
        var rest = low - (quotient * Value);
        return rest - (Value & Mask(rest >= Value));
    }

    public ulong Reduce(ulong value) => Reduce(0, value);

    /// <summary>The residue in [0, q) of a signed number.</summary>
    public ulong Reduce(long value)
    {
        var sign = (ulong)(value >> 63);
        var rest = Reduce(0, ((ulong)value ^ sign) - sign);
        return (Negate(rest) & sign) | (rest & ~sign);
    }

    public ulong Power(ulong value, ulong exponent)
    {
        ulong result = 1, square = Reduce(value);
        for (; exponent != 0; exponent >>= 1)
        {
            result = (exponent & 1) != 0 ? Multiply(result, square) : result;
            square = Multiply(square, square);
        }

        return result;
    }

    /// <exception cref="ArgumentException">The value is zero mod q.</exception>
    public ulong Inverse(ulong value)
    {
        var rest = Reduce(value);
        return rest != 0 ? Power(rest, Value - 2) : throw new ArgumentException($"Zero has no inverse mod {Value}.", nameof(value));
    }

    /// <summary>The representative of a residue in [−q/2, q/2).</summary>
    public long Centre(ulong residue) => (long)(residue - (Value & Mask(residue > Value >> 1)));

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>All ones or zero, by arithmetic: conditions may depend on secrets, and branches on them would show in the time.</summary>
    private static ulong Mask(bool condition) => 0UL - (condition ? 1UL : 0);
}
