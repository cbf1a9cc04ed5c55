using System.Numerics;
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
    /// <summary>Where encoded diagonals are kept between uses; null to encode them for every use.</summary>
    public DiagonalCache? Diagonals { get; init; }

    /// <remarks>
    /// Baby steps are made one at a time and added to the sums of all results' giant steps, of which there are fewer: 4 polynomials of all primes
    /// in memory, and 2 for each giant step of each result.
    /// </remarks>
    public IPayload[] Transform(IReadOnlyList<IPayload> inputs, DiagonalMatrix m, int level, Scale scale)
    {
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
        using var sum = new Undivided(_ring, level);
        using var rotated = new Undivided(_ring, level);
        using var scratch = new Undivided(_ring, level);
        var digits = _switcher.Raise(x[1], level);
        try
        {
            foreach (var element in elements)
            {
                Rotate(x, digits, element, level, scratch, rotated, t =>
                {
                    var kernels = _ring.Of(sum.First, t);
                    Accumulate(kernels, sum.First[t], rotated.First[t], sum.IsEmpty);
                    Accumulate(kernels, sum.Second[t], rotated.Second[t], sum.IsEmpty);
                });
                sum.IsEmpty = false;
            }
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

    private static void Accumulate(LimbKernels kernels, void* sum, void* term, bool first)
    {
        if (first)
        {
            kernels.Copy(sum, term);
        }
        else
        {
            kernels.Add(sum, sum, term);
        }
    }

    private LimbPayload Divided(DiagonalMatrix m, int level, Undivided[] sums)
    {
        GiantSteps(m, level, sums);
        Polynomial[] parts = [_ring.NewPolynomial(level + 1), _ring.NewPolynomial(level + 1)];
        _switcher.Divide(sums[0].First, level, parts[0], add: false);
        _switcher.Divide(sums[0].Second, level, parts[1], add: false);
        return new LimbPayload(parts);
    }

    /// <summary>Adds each baby step of an input, times its diagonals, to the sums of the results' giant steps.</summary>
    private void BabySteps(Polynomial[] x, int column, DiagonalMatrix m, int level, Scale scale, Undivided[][] sums)
    {
        using var rotated = new Undivided(_ring, level);
        using var scratch = new Undivided(_ring, level);
        Polynomial[]? digits = null;
        try
        {
            foreach (var (baby, diagonals) in m.Steps(column))
            {
                var element = Galois.Rotation(Parameters, m.Rotation(baby));
                digits ??= element == 1 ? null : _switcher.Raise(x[1], level);
                (Polynomial Polynomial, bool Kept)[] encoded = [.. diagonals.Select(d => Encoded(d.Values, -m.GiantRotation * d.Giant, level, scale))];
                Rotate(x, digits ?? [], element, level, scratch, rotated, t =>
                {
                    for (var k = 0; k < diagonals.Length; k++)
                    {
                        var sum = sums[diagonals[k].Row][diagonals[k].Giant];
                        _ring.Of(sum.First, t).MultiplyAddPair(sum.First[t], sum.Second[t], encoded[k].Polynomial[t], rotated.First[t], rotated.Second[t], sum.IsEmpty);
                    }
                });
                Array.ForEach(diagonals, d => sums[d.Row][d.Giant].IsEmpty = false);
                Array.ForEach(encoded, e => (e.Kept ? null : e.Polynomial)?.Dispose());
            }
        }
        finally
        {
            Array.ForEach(digits ?? [], digit => digit.Dispose());
        }
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
        using var scratch = new Undivided(_ring, level);
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
            _switcher.Products(divided, level, key, scratch.First, scratch.Second);
            _ring.Team.For(scratch.First.Limbs, t =>
            {
                var kernels = _ring.Of(scratch.First, t);
                kernels.Add(scratch.First[t], scratch.First[t], from.First[t]);
                Permute(kernels, to.First[t], scratch.First[t], (int*)map, to.IsEmpty);
                Permute(kernels, to.Second[t], scratch.Second[t], (int*)map, to.IsEmpty);
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

    /// <summary>P times an automorphism of x over all primes; <paramref name="use"/> is called for each limb as soon as it is made.</summary>
    private void Rotate(Polynomial[] x, Polynomial[] digits, int element, int level, Undivided scratch, Undivided rotated, Action<int> use)
    {
        var key = element == 1 ? null : keys.Get(element, level, "A sum of rotations");
        var map = element == 1 ? 0 : (nint)_ring.AutomorphismMap(element);
        _ring.Team.For(rotated.First.Limbs, t =>
        {
            var kernels = _ring.Of(rotated.First, t);
            var special = t <= level ? context.SpecialModulo(t) : 0;
            if (key is not null)
            {
                _switcher.Products(t, digits, level, key, scratch.First[t], scratch.Second[t]);
                if (t <= level)
                {
                    kernels.MultiplyScalarAdd(scratch.First[t], x[0][t], special);
                }

                kernels.Permute(rotated.First[t], scratch.First[t], (int*)map);
                kernels.Permute(rotated.Second[t], scratch.Second[t], (int*)map);
            }
            else if (t <= level)
            {
                kernels.MultiplyScalar(rotated.First[t], x[0][t], special);
                kernels.MultiplyScalar(rotated.Second[t], x[1][t], special);
            }
            else
            {
                // P is zero mod its own primes.
                kernels.Clear(rotated.First[t]);
                kernels.Clear(rotated.Second[t]);
            }

            use(t);
        });
        GC.KeepAlive(key);
    }

    private (Polynomial Polynomial, bool Kept) Encoded(PlainVector values, int rotation, int level, Scale scale)
    {
        if (Diagonals?.Find(values, rotation, level, scale) is { } known)
        {
            return (known, true);
        }

        var count = values.Values.Count;
        Complex[] rotated = [.. Enumerable.Range(0, count).Select(k => values.Values[(k + rotation) & (count - 1)])];
        var encoded = _encoder.EncodeOverAll(rotated, level, scale);
        return (encoded, Diagonals?.Keep(values, rotation, level, scale, encoded, (long)encoded.Limbs * _ring.Pool.StrideBytes) ?? false);
    }

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
