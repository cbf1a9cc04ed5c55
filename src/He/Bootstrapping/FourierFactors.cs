using System.Numerics;
using ActorTrainer.He.Backends;

namespace ActorTrainer.He.Bootstrapping;

/// <summary>
/// The transform between slots and coefficients as a product of few sparse matrices (Chen, Chillotti, Song 2019; Han, Hhan, Cheon 2019): the butterflies of the special Fourier transform, several
/// stages of which are multiplied into one matrix of at most 2^(s+1) − 1 diagonals. The order of bits is left reversed: the transform back starts from there.
/// </summary>
public static class FourierFactors
{
    /// <summary>Slots as coefficients: the matrices, in the order of application, after which coefficient k + i·(coefficient k + n) is slot brv(k).</summary>
    /// <param name="slots">n, a power of two.</param>
    /// <param name="stages">How many of the log₂ n stages each matrix has.</param>
    /// <param name="babySteps">At most so many for a matrix on average, and so many keys; null for what costs least time.</param>
    /// <exception cref="ArgumentException">The stages do not add up to log₂ n.</exception>
    public static IReadOnlyList<DiagonalMatrix> ToCoefficients(int slots, IReadOnlyList<int> stages, int? babySteps = null) =>
        Collapse(slots, stages, Enumerable.Range(0, BitOperations.Log2((uint)slots)).Select(s => Join(slots, 1 << s)), 1, babySteps);

    /// <summary>Coefficients as slots: the inverse of <see cref="ToCoefficients"/>, times a constant.</summary>
    /// <param name="constant">Spread evenly over the matrices.</param>
    /// <inheritdoc cref="ToCoefficients"/>
    public static IReadOnlyList<DiagonalMatrix> ToSlots(int slots, IReadOnlyList<int> stages, double constant, int? babySteps = null) =>
        Collapse(slots, stages, Enumerable.Range(0, BitOperations.Log2((uint)slots)).Reverse().Select(s => Split(slots, 1 << s)), Math.Pow(constant, 1.0 / stages.Count), babySteps);

    private static List<DiagonalMatrix> Collapse(int slots, IReadOnlyList<int> stages, IEnumerable<Dictionary<int, Complex[]>> butterflies, double factor, int? babySteps)
    {
        var all = butterflies.ToArray();
        if (stages.Sum() != all.Length || stages.Any(s => s < 1))
        {
            throw new ArgumentException($"Expected matrices of at least one stage, {all.Length} together for {slots} slots; found {string.Join(" + ", stages)}.", nameof(stages));
        }

        var products = new List<Dictionary<int, PlainVector>>();
        var done = 0;
        foreach (var count in stages)
        {
            var product = all.Skip(done).Take(count).Aggregate((first, then) => Product(then, first, slots));
            products.Add(product.ToDictionary(d => d.Key, d => new PlainVector([.. Period(d.Value).Select(v => v * factor)])));
            done += count;
        }

        var places = products.Select(diagonals => new DiagonalPlaces(1, [.. diagonals.Keys.Select(shift => (0, shift))])).ToArray();
        IReadOnlyList<int> steps = [.. places.Select(matrix => matrix.Best())];
        if (babySteps is { } average && average * places.Length < steps.Sum())
        {
            steps = DiagonalPlaces.Distribute(places, average * places.Length);
        }

        return [.. products.Zip(steps, (diagonals, g) => new DiagonalMatrix(diagonals, g))];
    }

    /// <summary>What values repeat: those of a stage over small blocks are the same in each block, to the bit.</summary>
    private static Complex[] Period(Complex[] values)
    {
        var length = values.Length;
        while (length > 1 && values.AsSpan(0, length / 2).SequenceEqual(values.AsSpan(length / 2, length / 2)))
        {
            length /= 2;
        }

        return values[..length];
    }

    /// <summary>(a, b) to (a + w·b, a − w·b) over blocks of 2·half: a stage from coefficients to slots.</summary>
    private static Dictionary<int, Complex[]> Join(int slots, int half) =>
        Stage(slots, half, (w, upper) => upper ? (-w, 1) : (1, w));

    /// <summary>(a, b) to ½·(a + b, w̄·(a − b)): its inverse.</summary>
    private static Dictionary<int, Complex[]> Split(int slots, int half) =>
        Stage(slots, half, (w, upper) => upper ? (-Complex.Conjugate(w) / 2, Complex.Conjugate(w) / 2) : (0.5, 0.5));

    /// <param name="weights">Of the slot itself and of the other one, by twiddle factor and whether it is the upper one.</param>
    private static Dictionary<int, Complex[]> Stage(int slots, int half, Func<Complex, bool, (Complex Own, Complex Other)> weights)
    {
        var (own, forward, back) = (new Complex[slots], new Complex[slots], new Complex[slots]);
        var powers = Twiddles(half);
        for (var i = 0; i < slots; i++)
        {
            var place = i & ((2 * half) - 1);
            var (mine, other) = weights(powers[place & (half - 1)], place >= half);
            own[i] = mine;
            (place < half ? forward : back)[i] = other;
        }

        // Half a turn to the left is half a turn to the right.
        return 2 * half == slots
            ? new() { [0] = own, [half] = [.. forward.Zip(back, (a, b) => a + b)] }
            : new() { [0] = own, [half] = forward, [-half] = back };
    }

    /// <summary>exp(2πi·5^j/(8·half)).</summary>
    private static Complex[] Twiddles(int half)
    {
        var (order, power) = (8L * half, 1L);
        var result = new Complex[half];
        for (var j = 0; j < half; j++)
        {
            var (sin, cos) = Math.SinCos(2 * Math.PI * power / order);
            result[j] = new Complex(cos, sin);
            power = power * 5 % order;
        }

        return result;
    }

    /// <summary>The product of two maps by diagonals: shifts add up, within half a turn either way.</summary>
    private static Dictionary<int, Complex[]> Product(Dictionary<int, Complex[]> a, Dictionary<int, Complex[]> b, int slots)
    {
        var result = new Dictionary<int, Complex[]>();
        foreach (var (shiftA, x) in a)
        {
            foreach (var (shiftB, y) in b)
            {
                var shift = Centred(shiftA + shiftB, slots);
                if (!result.TryGetValue(shift, out var sum))
                {
                    result.Add(shift, sum = new Complex[slots]);
                }

                for (var k = 0; k < slots; k++)
                {
                    sum[k] += x[k] * y[(k + shiftA) & (slots - 1)];
                }
            }
        }

        return result;
    }

    private static int Centred(int shift, int slots)
    {
        var turn = shift & (slots - 1);
        return turn > slots / 2 ? turn - slots : turn;
    }
}
