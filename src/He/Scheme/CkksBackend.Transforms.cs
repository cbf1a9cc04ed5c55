using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Double hoisting (Bossuat, Mouchet, Troncoso-Pastoriza, Hubaux 2021, algorithm 6): rotations stay multiplied by P, over the special primes too,
/// until they are multiplied by plaintexts and summed, so that a sum of rotations takes the divisions of one.
/// </summary>
public sealed unsafe partial class CkksBackend
{
    /// <summary>Products that kernels add up before they reduce.</summary>
    private const int MostTerms = 16;

    /// <summary>Where encoded diagonals are kept between uses; null to encode them for every use.</summary>
    public DiagonalCache? Diagonals { get; init; }

    /// <remarks>
    /// In memory are two polynomials over all primes for each giant step of each result, one limb for each diagonal of an input that no cache holds, and for each thread a pair of limbs for each
    /// baby step.
    /// </remarks>
    public IPayload[] Transform(IReadOnlyList<IPayload> inputs, DiagonalMatrix m, int level, Scale scale)
    {
        if (m.DividesFirst(Parameters, level))
        {
            return TransformDivided(inputs, m, level, scale);
        }

        var sums = Enumerable.Range(0, m.Rows).Select(_ => Enumerable.Range(0, m.GiantSteps).Select(_ => new Undivided(_ring, level)).ToArray()).ToArray();
        try
        {
            for (var column = 0; column < m.Columns; column++)
            {
                BabySteps(LimbPayload.Of(inputs[column]), column, m, level, scale, sums);
                GC.KeepAlive(inputs[column]);
            }

            return [.. sums.Select(row => Divided(m, level, row))];
        }
        finally
        {
            Array.ForEach(sums, row => Array.ForEach(row, sum => sum.Dispose()));
        }
    }

    public IPayload SumAutomorphisms(IPayload a, IReadOnlyList<int> elements, int level)
    {
        var x = LimbPayload.Of(a);
        var rotations = elements.Select(element => new Rotation(keys.Get(element, level, "A sum of rotations"), (nint)_ring.AutomorphismMap(element))).ToArray();
        using var sum = new Undivided(_ring, level);
        var digits = _switcher.Raise(x[1], level);
        try
        {
            _ring.Team.For(sum.First.Limbs, t =>
            {
                using var work = _ring.NewPolynomial(4);
                var kernels = _ring.Of(sum.First, t);
                for (var i = 0; i < rotations.Length; i++)
                {
                    var (to0, to1) = i == 0 ? ((nint)sum.First[t], (nint)sum.Second[t]) : ((nint)work[2], (nint)work[3]);
                    RotateLimb(x, digits, rotations[i], level, t, work[0], work[1], (void*)to0, (void*)to1);
                    if (i > 0)
                    {
                        kernels.Add(sum.First[t], sum.First[t], work[2]);
                        kernels.Add(sum.Second[t], sum.Second[t], work[3]);
                    }
                }
            });
        }
        finally
        {
            Array.ForEach(digits, digit => digit.Dispose());
        }

        Polynomial[] parts = [_ring.Copy(x[0], level + 1), _ring.Copy(x[1], level + 1)];
        GC.KeepAlive(a);
        _switcher.Divide(sum.First, level, parts[0], add: true);
        _switcher.Divide(sum.Second, level, parts[1], add: true);
        return new LimbPayload(parts);
    }

    private LimbPayload Divided(DiagonalMatrix m, int level, Undivided[] sums)
    {
        GiantSteps(m, level, sums);
        Polynomial[] parts = [_ring.NewPolynomial(level + 1), _ring.NewPolynomial(level + 1)];
        _switcher.Divide(sums[0].First, level, parts[0], add: false);
        _switcher.Divide(sums[0].Second, level, parts[1], add: false);
        return new LimbPayload(parts);
    }

    /// <summary>
    /// Adds an input's baby steps, times their diagonals, to the sums of the results' giant steps. Limb by limb, each on one thread: all rotations of a limb are made, then every sum takes its products
    /// in one pass.
    /// </summary>
    private void BabySteps(Polynomial[] x, int column, DiagonalMatrix m, int level, Scale scale, Undivided[][] sums)
    {
        var steps = m.Steps(column);
        if (steps.Count == 0)
        {
            return;
        }

        int[] elements = [.. steps.Select(step => Galois.Rotation(Parameters, m.Rotation(step.Baby)))];
        var rotations = elements.Select(element => element == 1 ? null : new Rotation(keys.Get(element, level, "A sum of rotations"), (nint)_ring.AutomorphismMap(element))).ToArray();
        using var diagonals = new ColumnDiagonals(this, m, column, level, scale, special: true);
        var digits = rotations.Any(r => r is not null) ? _switcher.Raise(x[1], level) : [];
        try
        {
            Product[] products = [.. diagonals.Groups.SelectMany(group => group.Chunks.Select(chunk => new Product(sums[group.Row][group.Giant], chunk)))];
            var shared = diagonals.Shared;
            _ring.Team.For(sums[0][0].First.Limbs, t =>
            {
                using var rotated = _ring.NewPolynomial(2 * steps.Count);
                using var filled = _ring.NewPolynomial(Math.Max(shared, MostTerms));
                RotateAll(x, digits, rotations, level, t, rotated);
                var limbs = new nint[shared];
                for (var i = 0; i < shared; i++)
                {
                    limbs[i] = (nint)diagonals[i].Limb(_ring.Of(sums[0][0].First, t), t, filled[i], scale);
                }

                var begun = new HashSet<Undivided>();
                foreach (var product in products)
                {
                    AddProducts(product, t, diagonals, limbs, filled, scale, rotated, product.Sum.IsEmpty && begun.Add(product.Sum));
                }
            });
            Array.ForEach(products, product => product.Sum.IsEmpty = false);
        }
        finally
        {
            Array.ForEach(digits, digit => digit.Dispose());
        }
    }

    /// <summary>One limb of all rotations, pair after pair.</summary>
    private void RotateAll(Polynomial[] x, Polynomial[] digits, Rotation?[] rotations, int level, int t, Polynomial rotated)
    {
        using var scratch = _ring.NewPolynomial(2);
        for (var i = 0; i < rotations.Length; i++)
        {
            RotateLimb(x, digits, rotations[i], level, t, scratch[0], scratch[1], rotated[2 * i], rotated[(2 * i) + 1]);
        }
    }

    /// <summary>One limb of a sum of products.</summary>
    /// <param name="limbs">Of all diagonals, or none: then they are made one by one.</param>
    /// <param name="filled">Where.</param>
    private void AddProducts(Product product, int t, ColumnDiagonals encoded, nint[] limbs, Polynomial filled, Scale scale, Polynomial rotated, bool first)
    {
        var (sum, count) = (product.Sum, product.Terms.Length);
        var kernels = _ring.Of(sum.First, t);
        var diagonals = stackalloc void*[count];
        var firsts = stackalloc void*[count];
        var seconds = stackalloc void*[count];
        for (var k = 0; k < count; k++)
        {
            var (step, number) = product.Terms[k];
            diagonals[k] = limbs.Length > 0 ? (void*)limbs[number] : encoded[number].Limb(kernels, t, filled[k], scale);
            firsts[k] = rotated[2 * step];
            seconds[k] = rotated[(2 * step) + 1];
        }

        SumProducts(kernels, sum.First[t], sum.Second[t], diagonals, firsts, seconds, count, first);
    }

    /// <summary>The sums become those of products, or grow by them.</summary>
    private void SumProducts(LimbKernels kernels, void* sum0, void* sum1, void** diagonals, void** firsts, void** seconds, int count, bool first)
    {
        if (first)
        {
            kernels.SumProductsPair(sum0, sum1, diagonals, firsts, seconds, count);
            return;
        }

        using var more = _ring.NewPolynomial(2);
        kernels.SumProductsPair(more[0], more[1], diagonals, firsts, seconds, count);
        kernels.Add(sum0, sum0, more[0]);
        kernels.Add(sum1, sum1, more[1]);
    }

    /// <summary>Horner's rule from the last sum to the first, in which the result stands, undivided.</summary>
    private void GiantSteps(DiagonalMatrix m, int level, Undivided[] sums)
    {
        if (sums.Length == 1)
        {
            return;
        }

        var element = Galois.Rotation(Parameters, m.GiantRotation);
        var key = keys.Get(element, level, "A linear transform's giant step");
        var map = (nint)_ring.AutomorphismMap(element);
        using var divided = _ring.NewPolynomial(level + 1);
        for (var j = sums.Length - 2; j >= 0; j--)
        {
            var (from, to) = (sums[j + 1], sums[j]);
            if (from.IsEmpty)
            {
                continue;
            }

            // Only the part that the key switches is divided; the other stays as it is.
            _switcher.Divide(from.Second, level, divided, add: false);
            _switcher.Products(divided, level, key, (t, switched0, switched1) =>
            {
                var kernels = _ring.Of(from.First, t);
                kernels.Add((void*)switched0, (void*)switched0, from.First[t]);
                Permute(kernels, to.First[t], (void*)switched0, (int*)map, to.IsEmpty);
                Permute(kernels, to.Second[t], (void*)switched1, (int*)map, to.IsEmpty);
            });
            to.IsEmpty = false;
        }
    }

    private static void Permute(LimbKernels kernels, void* sum, void* term, int* map, bool first)
    {
        if (first)
        {
            kernels.Permute(sum, term, map);
        }
        else
        {
            kernels.PermuteAdd(sum, term, map);
        }
    }

    /// <summary>One limb of P times an automorphism of x; t counts the special primes after the level's.</summary>
    /// <param name="rotation">Null for x itself.</param>
    private void RotateLimb(Polynomial[] x, Polynomial[] digits, Rotation? rotation, int level, int t, void* scratch0, void* scratch1, void* rotated0, void* rotated1)
    {
        var kernels = t <= level ? _ring.Chain(t) : _ring.Special(t - level - 1);
        var special = t <= level ? context.SpecialModulo(t) : 0;
        if (rotation is not null)
        {
            _switcher.Products(t, digits, level, rotation.Key, scratch0, scratch1);
            if (t <= level)
            {
                kernels.MultiplyScalarAdd(scratch0, x[0][t], special);
            }

            kernels.Permute(rotated0, scratch0, (int*)rotation.Map);
            kernels.Permute(rotated1, scratch1, (int*)rotation.Map);
            GC.KeepAlive(rotation.Key);
        }
        else if (t <= level)
        {
            kernels.MultiplyScalar(rotated0, x[0][t], special);
            kernels.MultiplyScalar(rotated1, x[1][t], special);
        }
        else
        {
            // P is zero mod its own primes.
            kernels.Clear(rotated0);
            kernels.Clear(rotated1);
        }
    }

    /// <summary>A sum of at most <see cref="MostTerms"/> products that goes into one giant step's sum.</summary>
    /// <param name="Terms">Numbers of the rotation and of the diagonal.</param>
    private sealed record Product(Undivided Sum, (int Step, int Diagonal)[] Terms);

    /// <summary>Where a rotation's slots go, and its key.</summary>
    private sealed record Rotation(SwitchingKey Key, nint Map);

    /// <summary>A pair of parts times P, over all primes.</summary>
    private sealed class Undivided(RingContext ring, int level) : IDisposable
    {
        public Polynomial First { get; } = ring.NewPolynomial(level + 1, special: true);

        public Polynomial Second { get; } = ring.NewPolynomial(level + 1, special: true);

        /// <summary>Nothing was added yet, and words are whatever they were.</summary>
        public bool IsEmpty { get; set; } = true;

        public void Dispose()
        {
            First.Dispose();
            Second.Dispose();
        }
    }
}
