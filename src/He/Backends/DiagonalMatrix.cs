using System.Numerics;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Backends;

/// <summary>
/// A plain operand of a program: the linear map y[k] = Σ_d m_d[k]·x[k + d] over slots, by its diagonals m_d. It is evaluated in baby and giant
/// steps (Halevi, Shoup 2018): with d = <see cref="First"/> + <see cref="Stride"/>·(i + g·j), y is the sum over j, rotated by Stride·g·j, of
/// Σ_i rot(m_d, −Stride·g·j) ⊙ rot(x, First + Stride·i). The outer sum is by Horner's rule: as many key switches and as much noise as with a rotation
/// of its own for each j, and one key for all of them.
/// </summary>
public sealed class DiagonalMatrix
{
    /// <summary>What a giant step costs in baby steps: a division by P and digits raised anew, where a baby step is products only (measured).</summary>
    private const int GiantCost = 5;

    /// <param name="diagonals">By shift, which may be negative; each a power of two of values, repeated to fill the slots.</param>
    /// <param name="babySteps">g; when null, what costs least time, and among equals the fewest keys.</param>
    /// <exception cref="ArgumentException">There is no diagonal, or g is not positive.</exception>
    public DiagonalMatrix(IReadOnlyDictionary<int, PlainVector> diagonals, int? babySteps = null)
    {
        if (diagonals.Count == 0 || babySteps < 1)
        {
            throw new ArgumentException($"A linear transform needs at least one diagonal and one baby step; found {diagonals.Count} and {babySteps}. A map to zero is one diagonal of zeros.");
        }

        First = diagonals.Keys.Min();
        Last = diagonals.Keys.Max();
        Stride = Math.Max(1, diagonals.Keys.Aggregate(0, (gcd, shift) => (int)BigInteger.GreatestCommonDivisor(gcd, shift - First)));
        int[] places = [.. diagonals.Keys.Select(shift => (shift - First) / Stride)];
        BabySteps = babySteps ?? Best(places);
        Diagonals = [.. diagonals.OrderBy(entry => entry.Key).Select(entry => Placed(entry.Key, entry.Value))];
        GiantSteps = Diagonals[^1].Giant + 1;
        Babies = [.. Diagonals.Select(d => d.Baby).Distinct().Order()];
        Length = diagonals.Values.Max(m => m.Values.Count);
        Magnitude = Enumerable.Range(0, Length).Max(k => diagonals.Values.Sum(m => m.Values[k & (m.Values.Count - 1)].Magnitude));
    }

    /// <summary>The smallest shift.</summary>
    public int First { get; }

    /// <summary>The largest shift.</summary>
    public int Last { get; }

    /// <summary>The greatest common divisor of the shifts' distances.</summary>
    public int Stride { get; }

    /// <summary>g.</summary>
    public int BabySteps { get; }

    /// <summary>Sums over j, the first of which is not rotated.</summary>
    public int GiantSteps { get; }

    /// <summary>Values of the longest diagonal.</summary>
    public int Length { get; }

    /// <summary>The largest Σ_d |m_d[k]|: by how much slots can grow.</summary>
    public double Magnitude { get; }

    /// <summary>In the order of shifts.</summary>
    internal IReadOnlyList<Diagonal> Diagonals { get; }

    /// <summary>The baby steps i that some diagonal needs.</summary>
    internal IReadOnlyList<int> Babies { get; }

    /// <summary>Slots to the left for one giant step.</summary>
    internal int GiantRotation => Stride * BabySteps;

    /// <summary>
    /// A size × size matrix, which maps each run of so many slots of a vector that repeats with that period: y[k] = Σ_c entry(k, c)·x[c].
    /// Diagonals of zeros are left out.
    /// </summary>
    /// <param name="size">A power of two, at most the number of slots.</param>
    /// <exception cref="ArgumentException">The size is not a power of two, or an entry is not finite.</exception>
    public static DiagonalMatrix FromEntries(int size, Func<int, int, Complex> entry, int? babySteps = null)
    {
        var diagonals = new Dictionary<int, PlainVector>();
        for (var d = 0; d < size; d++)
        {
            Complex[] values = [.. Enumerable.Range(0, size).Select(k => entry(k, (k + d) % size))];
            if (values.Any(v => v != Complex.Zero) || (d == size - 1 && diagonals.Count == 0))
            {
                diagonals.Add(d, new PlainVector(values));
            }
        }

        return new DiagonalMatrix(diagonals, babySteps);
    }

    /// <summary>Exactly the keys that it takes at a level: one for each baby step that moves anything, and one for all giant steps.</summary>
    public IEnumerable<KeyRequest> Requests(CkksParameters parameters, int level) =>
        Elements(parameters).Select(element => new KeyRequest(element, level));

    /// <summary>Slots to the left for a baby step.</summary>
    internal int Rotation(int baby) => First + (Stride * baby);

    internal IEnumerable<int> Elements(CkksParameters parameters) => Babies.Select(Rotation).Concat(GiantSteps > 1 ? [GiantRotation] : [])
        .Select(steps => Galois.Rotation(parameters, steps)).Where(element => element != 1).Distinct();

    /// <exception cref="MisuseException">Diagonals are longer than the slots, or their shifts are further apart.</exception>
    internal void Check(CkksParameters parameters)
    {
        if (Length > parameters.Slots || Last - First >= parameters.Slots)
        {
            throw new MisuseException($"A linear transform of {Length} values a diagonal, shifts {First} to {Last}, does not fit {parameters.Slots} slots. Give shifts within one turn, or use a larger set.");
        }
    }

    private static int Best(int[] places)
    {
        var end = places.Max() + 1;
        var (best, least) = (1, long.MaxValue);
        var seen = new int[end];
        for (var g = 1; g <= Math.Min(end, 4 * Math.Sqrt((double)GiantCost * end)); g++)
        {
            long cost = GiantCost * ((end - 1) / g);
            foreach (var place in places)
            {
                cost += seen[place % g] == g ? 0 : 1;
                seen[place % g] = g;
            }

            (best, least) = cost < least ? (g, cost) : (best, least);
        }

        return best;
    }

    private Diagonal Placed(int shift, PlainVector values)
    {
        var place = (shift - First) / Stride;
        var power = values.Values.Average(v => (v.Real * v.Real) + (v.Imaginary * v.Imaginary));
        return new Diagonal(shift, values, place % BabySteps, place / BabySteps, power);
    }

    /// <param name="Shift">d.</param>
    /// <param name="Values">m_d.</param>
    /// <param name="Baby">i.</param>
    /// <param name="Giant">j.</param>
    /// <param name="Power">The mean square of the values.</param>
    internal sealed record Diagonal(int Shift, PlainVector Values, int Baby, int Giant, double Power);
}
