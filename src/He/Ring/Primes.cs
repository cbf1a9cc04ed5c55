namespace ActorTrainer.He.Ring;

/// <summary>Primes that admit number-theoretic transforms, and their roots of unity.</summary>
public static class Primes
{
    // These bases decide primality of every 64-bit number (Sinclair, 2011: seven bases; the first twelve primes are the older proof).
    private static readonly ulong[] Witnesses = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

    /// <summary>Primes ≡ 1 mod <paramref name="step"/> below 2^bits, largest first.</summary>
    public static IEnumerable<ulong> Below(int bits, ulong step)
    {
        for (var candidate = (((1UL << bits) - 2) / step * step) + 1; candidate > 1UL << (bits - 1); candidate -= step)
        {
            if (IsPrime(candidate))
            {
                yield return candidate;
            }
        }
    }

    /// <summary>Miller–Rabin with bases that leave no exception below 2^64; for numbers below 2^61.</summary>
    public static bool IsPrime(ulong value)
    {
        if (value < 2)
        {
            return false;
        }

        foreach (var prime in Witnesses)
        {
            if (value % prime == 0)
            {
                return value == prime;
            }
        }

        var modulus = new Modulus(value);
        var twos = System.Numerics.BitOperations.TrailingZeroCount(value - 1);
        return Witnesses.All(witness => Passes(modulus, witness, twos));
    }

    /// <summary>The numerically smallest primitive root of unity of a power-of-two order, which is what SEAL uses too.</summary>
    /// <exception cref="ArgumentException">The order does not divide q − 1.</exception>
    public static ulong SmallestRoot(Modulus modulus, ulong order)
    {
        if ((modulus.Value - 1) % order != 0)
        {
            throw new ArgumentException($"{modulus} is not 1 mod {order}, so it has no root of unity of that order.", nameof(order));
        }

        ulong root = 0;
        for (ulong seed = 2; root == 0; seed++)
        {
            var candidate = modulus.Power(seed, (modulus.Value - 1) / order);
            root = modulus.Power(candidate, order / 2) == modulus.Value - 1 ? candidate : 0;
        }

        // The odd powers are all the primitive roots.
        var (square, current, smallest) = (modulus.Multiply(root, root), root, root);
        for (ulong i = 1; i < order / 2; i++)
        {
            current = modulus.Multiply(current, square);
            smallest = Math.Min(smallest, current);
        }

        return smallest;
    }

    private static bool Passes(Modulus modulus, ulong witness, int twos)
    {
        var power = modulus.Power(witness, (modulus.Value - 1) >> twos);
        if (power == 1 || power == modulus.Value - 1)
        {
            return true;
        }

        for (var i = 1; i < twos; i++)
        {
            power = modulus.Multiply(power, power);
            if (power == modulus.Value - 1)
            {
                return true;
            }
        }

        return false;
    }
}
