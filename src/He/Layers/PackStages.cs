using System.Collections.Concurrent;
using ActorTrainer.He.Backends;

namespace ActorTrainer.He.Layers;

/// <summary>
/// Maps by which vectors are packed and unpacked four at a time. A ciphertext of w vectors has vector r at all slots ≡ r mod w. Joining ciphertexts 0 … n − 1 makes one of 4·w vectors, vector r of the
/// a-th at slots ≡ a·w + r, sums over the slots that it gives up: x[q + a·w + r] = Σ_b x_a[q + b·w + r]. Splitting copies instead. Maps depend on nothing else, so all packs share them.
/// </summary>
internal static class PackStages
{
    private static readonly ConcurrentDictionary<(int Width, int Radix, int Count), DiagonalMatrix> Joins = new();
    private static readonly ConcurrentDictionary<(int Width, int Radix, int Count), DiagonalMatrix> Splits = new();
    private static readonly ConcurrentDictionary<(int Width, int Radix, int Digit), PlainVector> Masks = new();
    private static readonly ConcurrentDictionary<(int Width, int Period), PlainVector> Firsts = new();

    /// <summary>From <paramref name="count"/> ciphertexts of <paramref name="width"/> vectors to one; a period of radix · width slots.</summary>
    public static DiagonalMatrix Join(int width, int radix, int count) => Joins.GetOrAdd((width, radix, count), static key =>
    {
        var blocks = new IReadOnlyDictionary<int, PlainVector>[1, key.Count];
        for (var a = 0; a < key.Count; a++)
        {
            blocks[0, a] = Enumerable.Range(0, key.Radix).ToDictionary(b => (b - a) * key.Width, _ => Mask(key.Width, key.Radix, a));
        }

        return Flat(blocks, key.Radix);
    });

    /// <summary>From one to the first <paramref name="count"/> ciphertexts of <paramref name="width"/> vectors.</summary>
    public static DiagonalMatrix Split(int width, int radix, int count) => Splits.GetOrAdd((width, radix, count), static key =>
    {
        var blocks = new IReadOnlyDictionary<int, PlainVector>[key.Count, 1];
        for (var a = 0; a < key.Count; a++)
        {
            blocks[a, 0] = Enumerable.Range(0, key.Radix).ToDictionary(b => (a - b) * key.Width, b => Mask(key.Width, key.Radix, b));
        }

        return Flat(blocks, key.Radix);
    });

    /// <summary>One in the first slots of each period.</summary>
    public static PlainVector First(int width, int period) =>
        Firsts.GetOrAdd((width, period), static key => new PlainVector(Enumerable.Range(0, key.Period).Select(slot => slot < key.Width ? 1.0 : 0)));

    private static PlainVector Mask(int width, int radix, int digit) => Masks.GetOrAdd((width, radix, digit), static key =>
        new PlainVector(Enumerable.Range(0, key.Width * key.Radix).Select(slot => slot / key.Width == key.Digit ? 1.0 : 0)));

    /// <summary>Without giant steps: there are a few rotations, and one division for all.</summary>
    private static DiagonalMatrix Flat(IReadOnlyDictionary<int, PlainVector>[,] blocks, int radix) => new(blocks, 2 * radix);
}
