using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Circuits;

/// <summary>
/// Sums over slots at a distance and their spreading, by rotations of sums. Each step takes two bits of the count: three rotations of one sum raised
/// once and divided once (radix 4), which take less time than two rotations one after the other; radix 2 takes fewer keys. No level is used.
/// </summary>
public static class SlotSums
{
    /// <summary>
    /// y[k] = Σ x[k + i·stride], i from 0 to count − 1. Where x repeats with period stride·count, as a vector of just so many slots does, that is
    /// the total in every slot.
    /// </summary>
    /// <param name="count">A power of two.</param>
    /// <param name="radix">4, or 2 for ⌈log₂ count⌉ keys instead of 3·⌈log₄ count⌉.</param>
    /// <exception cref="ArgumentException">The count or the radix is something else.</exception>
    /// <exception cref="MissingKeyException">A key of <see cref="Requests"/> is missing.</exception>
    public static Ciphertext Sum(Evaluator evaluator, Ciphertext x, int stride, int count, int radix = 4)
    {
        var sum = evaluator.DropTo(x, x.Level);
        foreach (var steps in Steps(stride, count, radix))
        {
            using var before = sum;
            sum = evaluator.SumRotations(before, steps);
        }

        return sum;
    }

    /// <summary>y[k] = Σ x[k − i·stride]: a slot whose count − 1 followers at this distance are zero is copied to them.</summary>
    /// <inheritdoc cref="Sum"/>
    public static Ciphertext Replicate(Evaluator evaluator, Ciphertext x, int stride, int count, int radix = 4) => Sum(evaluator, x, -stride, count, radix);

    /// <summary>Exactly the keys that a sum takes at a level; for spreading, with the stride negated.</summary>
    /// <exception cref="ArgumentException">The count is no power of two, or the radix neither 2 nor 4.</exception>
    public static IEnumerable<KeyRequest> Requests(CkksParameters parameters, int stride, int count, int level, int radix = 4) =>
        Steps(stride, count, radix).SelectMany(steps => steps).Select(step => Galois.Rotation(parameters, step))
            .Where(element => element != 1).Distinct().Select(element => new KeyRequest(element, level));

    private static IEnumerable<int[]> Steps(int stride, int count, int radix)
    {
        if (count < 1 || !int.IsPow2(count) || radix is not (2 or 4))
        {
            throw new ArgumentException($"A sum over slots needs a power of two of them and radix 2 or 4; found {count} and {radix}.");
        }

        for (var done = 1; done < count;)
        {
            var width = Math.Min(radix, count / done);
            var distance = stride * done;
            yield return [.. Enumerable.Range(1, width - 1).Select(i => i * distance)];
            done *= width;
        }
    }
}
