using System.Numerics;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Backends;

/// <summary>
/// A plain operand of a program: the linear map y[k] = Σ_d m_d[k]·x[k + d] over slots, by its diagonals m_d. It is evaluated in baby and giant
/// steps (Halevi, Shoup 2018): with d = <see cref="First"/> + <see cref="Stride"/>·(i + g·j), y is the sum over j, rotated by Stride·g·j, of
/// Σ_i rot(m_d, −Stride·g·j) ⊙ rot(x, First + Stride·i). The outer sum is by Horner's rule: as many key switches and as much noise as with a rotation
/// of its own for each j, and one key for all of them. Several inputs and results make a matrix of blocks: the baby steps of an input serve all
/// results, and the inputs' sums are added before the giant steps of a result.
/// </summary>
public sealed class DiagonalMatrix
{
    /// <summary>What a giant step costs in baby steps: a division by P and digits raised anew, where a baby step is products only (measured).</summary>
    internal const int GiantCost = 5;

    /// <summary>What a limb costs (measured, in transforms of one): of a diagonal, and of a division by P, which takes its special limbs too.</summary>
    private const double DiagonalLimb = 2;
    private const double DivisionLimb = 1.5;

    private readonly DiagonalPlaces _places;
    private readonly (int Baby, Diagonal[] Diagonals)[][] _steps;

    /// <param name="diagonals">By shift, which may be negative; each a power of two of values, repeated to fill the slots.</param>
    /// <param name="babySteps">g; when null, what costs least time, and among equals the fewest keys.</param>
    /// <exception cref="ArgumentException">There is no diagonal, or g is not positive.</exception>
    public DiagonalMatrix(IReadOnlyDictionary<int, PlainVector> diagonals, int? babySteps = null)
        : this(new[,] { { diagonals } }, babySteps)
    {
    }

    /// <param name="blocks">For each result (row) and input (column): diagonals by shift, none for a block of zeros.</param>
    /// <inheritdoc cref="DiagonalMatrix(IReadOnlyDictionary{int, PlainVector}, int?)"/>
    public DiagonalMatrix(IReadOnlyDictionary<int, PlainVector>[,] blocks, int? babySteps = null)
    {
        (Rows, Columns) = (blocks.GetLength(0), blocks.GetLength(1));
        var entries = Enumerable.Range(0, Rows).SelectMany(row => Enumerable.Range(0, Columns)
            .SelectMany(column => blocks[row, column].OrderBy(entry => entry.Key).Select(entry => (Row: row, Column: column, Shift: entry.Key, Values: entry.Value)))).ToArray();
        if (entries.Select(entry => entry.Row).Distinct().Count() < Rows || Rows == 0 || babySteps < 1)
        {
            throw new ArgumentException($"A linear transform needs at least one diagonal for each result and one baby step; found {entries.Length} diagonals for {Rows} results and {babySteps}. A map to zero is one diagonal of zeros.");
        }

        _places = new DiagonalPlaces(Rows, [.. entries.Select(entry => (entry.Column, entry.Shift))]);
        BabySteps = babySteps ?? _places.Best();
        Diagonals = [.. entries.Select(entry => Placed(entry.Row, entry.Column, entry.Shift, entry.Values))];
        GiantSteps = Diagonals.Max(d => d.Giant) + 1;
        _steps = [.. Enumerable.Range(0, Columns).Select(column => Diagonals.Where(d => d.Column == column).GroupBy(d => d.Baby).OrderBy(g => g.Key).Select(g => (g.Key, g.ToArray())).ToArray())];
        Length = Diagonals.Max(d => d.Values.Values.Count);
        Magnitude = Diagonals.GroupBy(d => d.Row).Max(LargestSum);
    }

    /// <summary>Results.</summary>
    public int Rows { get; }

    /// <summary>Inputs.</summary>
    public int Columns { get; }

    /// <summary>The smallest shift.</summary>
    public int First => _places.First;

    /// <summary>The largest shift.</summary>
    public int Last => _places.Last;

    /// <summary>The greatest common divisor of the shifts' distances.</summary>
    public int Stride => _places.Stride;

    /// <summary>g.</summary>
    public int BabySteps { get; }

    /// <summary>Sums over j, the first of which is not rotated.</summary>
    public int GiantSteps { get; }

    /// <summary>Values of the longest diagonal.</summary>
    public int Length { get; }

    /// <summary>The largest Σ_d |m_d[k]|: by how much slots can grow.</summary>
    public double Magnitude { get; }

    /// <summary>In the order of results, inputs and shifts.</summary>
    internal IReadOnlyList<Diagonal> Diagonals { get; }

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

    /// <summary>
    /// Whether rotations are divided by P before diagonals are multiplied, which then are needed without the special primes. At levels where those are half of all primes or more, a matrix with several
    /// diagonals for each rotation takes less time so.
    /// </summary>
    internal bool DividesFirst(CkksParameters parameters, int level)
    {
        var rotations = _steps.Sum(steps => steps.Length);
        var division = DivisionLimb * (parameters.Special.Count + level + 1);
        return level < parameters.Special.Count && DiagonalLimb * parameters.Special.Count * Diagonals.Count > 2 * division * rotations;
    }

    /// <summary>The baby steps of an input, with the diagonals that they are multiplied by.</summary>
    internal IReadOnlyList<(int Baby, Diagonal[] Diagonals)> Steps(int column) => _steps[column];

    /// <summary>Giant steps that a result takes: those below its highest sum.</summary>
    internal int GiantStepsOf(int row) => Diagonals.Where(d => d.Row == row).Max(d => d.Giant);

    /// <summary>Slots to the left for a baby step.</summary>
    internal int Rotation(int baby) => First + (Stride * baby);

    internal IEnumerable<int> Elements(CkksParameters parameters) => _steps.SelectMany(steps => steps).Select(step => Rotation(step.Baby)).Concat(GiantSteps > 1 ? [GiantRotation] : [])
        .Select(steps => Galois.Rotation(parameters, steps)).Where(element => element != 1).Distinct();

    /// <exception cref="MisuseException">Diagonals are longer than the slots, or their shifts are further apart.</exception>
    internal void Check(CkksParameters parameters)
    {
        if (Length > parameters.Slots || Last - First >= parameters.Slots)
        {
            throw new MisuseException($"A linear transform of {Length} values a diagonal, shifts {First} to {Last}, does not fit {parameters.Slots} slots. Give shifts within one turn, or use a larger set.");
        }
    }

    private double LargestSum(IEnumerable<Diagonal> row)
    {
        var run = row.Min(d => d.Values.Run);
        var sums = new double[Length / run];
        foreach (var values in row.Select(d => d.Values.Values))
        {
            for (var k = 0; k < sums.Length; k++)
            {
                sums[k] += values[(k * run) & (values.Count - 1)].Magnitude;
            }
        }

        return sums.Max();
    }

    private Diagonal Placed(int row, int column, int shift, PlainVector values)
    {
        var place = _places.PlaceOf(shift);
        var power = Enumerable.Range(0, values.Values.Count / values.Run).Select(i => values.Values[i * values.Run]).Average(v => (v.Real * v.Real) + (v.Imaginary * v.Imaginary));
        return new Diagonal(row, column, shift, values, place % BabySteps, place / BabySteps, power);
    }

    /// <param name="Row">The result.</param>
    /// <param name="Column">The input.</param>
    /// <param name="Shift">d.</param>
    /// <param name="Values">m_d.</param>
    /// <param name="Baby">i.</param>
    /// <param name="Giant">j.</param>
    /// <param name="Power">The mean square of the values.</param>
    internal sealed record Diagonal(int Row, int Column, int Shift, PlainVector Values, int Baby, int Giant, double Power);
}
