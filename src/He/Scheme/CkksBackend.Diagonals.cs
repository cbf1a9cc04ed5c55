using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <content>Diagonals of a transform while it runs, and transforms whose rotations are divided by P first.</content>
public sealed unsafe partial class CkksBackend
{
    /// <summary>Every rotation of an input as a ciphertext of its own, hoisted; then each giant step's sum of products, which a rotation like any other turns on to the next one.</summary>
    private IPayload[] TransformDivided(IReadOnlyList<IPayload> inputs, DiagonalMatrix m, int level, Scale scale)
    {
        var sums = Enumerable.Range(0, m.Rows).Select(_ => new Polynomial[]?[m.GiantSteps]).ToArray();
        for (var column = 0; column < m.Columns; column++)
        {
            AddColumn(LimbPayload.Of(inputs[column]), column, m, level, scale, sums);
            GC.KeepAlive(inputs[column]);
        }

        var element = Galois.Rotation(Parameters, m.GiantRotation);
        return [.. sums.Select(row =>
        {
            Polynomial[]? sum = null;
            for (var j = row.Length - 1; j >= 0; j--)
            {
                var turned = sum is null ? null : LimbPayload.Of(Automorphism(sum, element, level));
                Free(sum);
                sum = row[j] ?? turned;
                if (row[j] is not null && turned is not null)
                {
                    _ring.Team.For(2 * (level + 1), piece =>
                    {
                        var (part, t) = (piece & 1, piece >> 1);
                        _ring.Chain(t).Add(sum![part][t], sum[part][t], turned[part][t]);
                    });
                    Free(turned);
                }
            }

            return new LimbPayload(sum!);
        })];
    }

    private void AddColumn(Polynomial[] x, int column, DiagonalMatrix m, int level, Scale scale, Polynomial[]?[][] sums)
    {
        var steps = m.Steps(column);
        if (steps.Count == 0)
        {
            return;
        }

        int[] elements = [.. steps.Select(step => Galois.Rotation(Parameters, m.Rotation(step.Baby)))];
        var rotated = new Polynomial[steps.Count][];
        var digits = elements.Any(element => element != 1) ? _switcher.Raise(x[1], level) : [];
        using var diagonals = new ColumnDiagonals(this, m, column, level, scale, special: false);
        try
        {
            // One rotation a thread: at low levels there are few limbs to share.
            _ring.Team.For(steps.Count, i => rotated[i] = elements[i] == 1 ? x : LimbPayload.Of(Hoisted(x, digits, elements[i], level)));
            var fresh = diagonals.Groups.Select(group => sums[group.Row][group.Giant] is null).ToArray();
            foreach (var (row, giant, _) in diagonals.Groups)
            {
                sums[row][giant] ??= NewParts(2, level);
            }

            var shared = diagonals.Shared;
            using var limbs = _ring.NewPolynomial(Math.Max(1, shared * (level + 1)));
            _ring.Team.For(shared * (level + 1), i => diagonals[i / (level + 1)].Fill(_ring.Chain(i % (level + 1)), i % (level + 1), limbs[i], scale));
            _ring.Team.For(diagonals.Groups.Count * (level + 1), piece =>
            {
                var (g, t) = (piece % diagonals.Groups.Count, piece / diagonals.Groups.Count);
                AddGroup(diagonals, g, t, level, scale, rotated, limbs, sums[diagonals.Groups[g].Row][diagonals.Groups[g].Giant]!, fresh[g]);
            });
        }
        finally
        {
            Array.ForEach(digits, digit => digit.Dispose());
            Array.ForEach(rotated, pair => Free(pair == x ? null : pair));
        }
    }

    /// <summary>One limb of all products that go into one sum.</summary>
    private void AddGroup(ColumnDiagonals encoded, int group, int t, int level, Scale scale, Polynomial[][] rotated, Polynomial limbs, Polynomial[] sum, bool first)
    {
        var kernels = _ring.Chain(t);
        using var filled = _ring.NewPolynomial(MostTerms);
        var diagonals = stackalloc void*[MostTerms];
        var firsts = stackalloc void*[MostTerms];
        var seconds = stackalloc void*[MostTerms];
        foreach (var chunk in encoded.Groups[group].Chunks)
        {
            for (var k = 0; k < chunk.Length; k++)
            {
                var (step, number) = chunk[k];
                diagonals[k] = encoded.Shared > 0 ? limbs[(number * (level + 1)) + t] : encoded[number].Limb(kernels, t, filled[k], scale);
                firsts[k] = rotated[step][0][t];
                seconds[k] = rotated[step][1][t];
            }

            SumProducts(kernels, sum[0][t], sum[1][t], diagonals, firsts, seconds, chunk.Length, first);
            first = false;
        }
    }

    private static void Free(Polynomial[]? parts) => Array.ForEach(parts ?? [], part => part?.Dispose());

    /// <summary>A diagonal's limbs, or what they are made from: coefficients at its first use, kept limbs from the third on, and at the second use limbs that are made to be kept.</summary>
    /// <param name="special">Whether special limbs are needed: limbs with them and without are kept apart.</param>
    private EncodedDiagonal Encoded(PlainVector values, int rotation, int level, Scale scale, bool special)
    {
        if (Diagonals?.Limbs(values, rotation, level, scale, special) is { } limbs)
        {
            return new EncodedDiagonal(null, false, limbs, false);
        }

        var known = Diagonals?.Coefficients(values, rotation);
        var coefficients = known ?? _encoder.Unscaled(values.Values, rotation);
        Encoder.CheckScale(coefficients, scale);
        var owned = known is null && !(Diagonals?.Keep(values, rotation, coefficients, _ring.Pool.StrideBytes) ?? false);
        var worthwhile = known is not null && Diagonals!.Fits((long)DiagonalLimbs.Kept(_ring.Degree, level + 1 + (special ? _ring.SpecialLength : 0), values.Values.Count) * _ring.Pool.StrideBytes);
        return new EncodedDiagonal(coefficients, owned, worthwhile ? new DiagonalLimbs(_ring, level, special, values.Values.Count) : null, worthwhile);
    }

    /// <summary>All diagonals of an input, each once, and the sums that they go into.</summary>
    private sealed class ColumnDiagonals : IDisposable
    {
        private readonly CkksBackend _backend;
        private readonly (int Level, Scale Scale, bool Special) _use;
        private readonly (PlainVector Values, int Turn)[] _distinct;
        private readonly EncodedDiagonal[] _encoded;

        public ColumnDiagonals(CkksBackend backend, DiagonalMatrix m, int column, int level, Scale scale, bool special)
        {
            (_backend, _use) = (backend, (level, scale, special));
            var terms = m.Steps(column).SelectMany((step, number) => step.Diagonals.Select(d => (Step: number, Diagonal: d, Turn: -m.GiantRotation * d.Giant))).ToArray();
            _distinct = [.. terms.Select(term => (term.Diagonal.Values, term.Turn)).Distinct()];
            var numbers = _distinct.Select((key, number) => (key, number)).ToDictionary(pair => pair.key, pair => pair.number);
            Groups = [.. terms.GroupBy(term => (term.Diagonal.Row, term.Diagonal.Giant)).Select(group =>
                (group.Key.Row, group.Key.Giant, group.Select(term => (term.Step, numbers[(term.Diagonal.Values, term.Turn)])).Chunk(MostTerms).ToArray()))];
            Shared = 2 * _distinct.Length <= terms.Length ? _distinct.Length : 0;
            var encoded = _encoded = new EncodedDiagonal[_distinct.Length];
            backend._ring.Team.For(encoded.Length, i => encoded[i] = backend.Encoded(_distinct[i].Values, _distinct[i].Turn, level, scale, special));
        }

        /// <summary>For each sum: numbers of rotations and of diagonals, as many in a row as kernels add up at once.</summary>
        public IReadOnlyList<(int Row, int Giant, (int Step, int Diagonal)[][] Chunks)> Groups { get; }

        /// <summary>All diagonals, where they are few that are used again and again: then each limb is made once. Else zero.</summary>
        public int Shared { get; }

        public EncodedDiagonal this[int number] => _encoded[number];

        public void Dispose()
        {
            for (var i = 0; i < _encoded.Length; i++)
            {
                _encoded[i].Release(_backend.Diagonals, _distinct[i].Values, _distinct[i].Turn, _use.Level, _use.Scale, _use.Special);
            }
        }
    }

    /// <summary>A diagonal in use.</summary>
    /// <param name="coefficients">Null where there are limbs already.</param>
    /// <param name="owned">Coefficients are not kept by a cache.</param>
    /// <param name="limbs">Kept ones, or ones that this use fills.</param>
    /// <param name="filling">The latter.</param>
    private sealed class EncodedDiagonal(UnscaledCoefficients? coefficients, bool owned, DiagonalLimbs? limbs, bool filling)
    {
        /// <summary>A limb, which is made in <paramref name="scratch"/> unless it is kept.</summary>
        public void* Limb(LimbKernels kernels, int t, void* scratch, Scale scale)
        {
            if (coefficients is null)
            {
                return limbs!.Read(t, scratch);
            }

            var limb = limbs is null ? scratch : limbs.Target(t, scratch);
            Encoder.Fill(kernels, limb, coefficients, scale);
            limbs?.Write(t, limb);
            return limb;
        }

        /// <summary>The same, always in memory of the caller.</summary>
        public void Fill(LimbKernels kernels, int t, void* memory, Scale scale)
        {
            var limb = Limb(kernels, t, memory, scale);
            if (limb != memory)
            {
                kernels.Copy(memory, limb);
            }
        }

        /// <summary>After the use: freed, or kept from now on.</summary>
        public void Release(DiagonalCache? cache, PlainVector values, int rotation, int level, Scale scale, bool special)
        {
            if (owned)
            {
                coefficients!.Dispose();
            }

            if (filling && !cache!.Keep(values, rotation, level, scale, special, limbs!))
            {
                limbs!.Dispose();
            }
        }
    }
}
