namespace ActorTrainer.He.Seal;

/// <summary>Galois elements as SEAL has them: powers of 3.</summary>
public static class SealGalois
{
    /// <summary>3^steps mod 2N: rotates slots to the left; negative steps to the right.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not fewer steps than slots.</exception>
    public static int Rotation(SealParameters parameters, int steps)
    {
        var slots = parameters.Slots;
        if (steps <= -slots || steps >= slots)
        {
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"A rotation of {slots} slots is by fewer than {slots} steps.");
        }

        var mask = (2 * parameters.Degree) - 1;
        var (element, power) = (1, 3);
        for (var rest = steps < 0 ? slots + steps : steps; rest > 0; rest >>= 1)
        {
            element = (rest & 1) != 0 ? (int)((long)element * power & mask) : element;
            power = (int)((long)power * power & mask);
        }

        return element;
    }

    /// <summary>Conjugates slots.</summary>
    public static int Conjugation(SealParameters parameters) => (2 * parameters.Degree) - 1;

    /// <summary>Powers of two, positive and negative, that sum to the steps and no two of which are neighbours: what SEAL rotates by where it has no key.</summary>
    internal static IEnumerable<int> NonAdjacent(int steps)
    {
        var (sign, rest) = (Math.Sign(steps), Math.Abs(steps));
        for (var power = 1; rest != 0; power <<= 1)
        {
            var digit = (rest & 1) != 0 ? 2 - (rest & 3) : 0;
            rest = (rest - digit) >> 1;
            if (digit != 0)
            {
                yield return sign * digit * power;
            }
        }
    }
}
