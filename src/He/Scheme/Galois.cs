using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Scheme;

/// <summary>Galois elements: X → X^element.</summary>
public static class Galois
{
    /// <summary>5^steps mod 2N: rotates slots to the left, cyclically.</summary>
    public static int Rotation(CkksParameters parameters, int steps)
    {
        var mask = (2 * parameters.Degree) - 1;
        var (element, power) = (1, 5);
        for (var rest = ((steps % parameters.Slots) + parameters.Slots) % parameters.Slots; rest > 0; rest >>= 1)
        {
            element = (rest & 1) != 0 ? (int)((long)element * power & mask) : element;
            power = (int)((long)power * power & mask);
        }

        return element;
    }

    /// <summary>Whether X → X^element is an automorphism: odd, from 1 to 2N − 1.</summary>
    public static bool IsElement(CkksParameters parameters, int element) => (element & 1) == 1 && element > 0 && element < 2 * parameters.Degree;

    /// <summary>Conjugates slots.</summary>
    public static int Conjugation(CkksParameters parameters) => (2 * parameters.Degree) - 1;
}
