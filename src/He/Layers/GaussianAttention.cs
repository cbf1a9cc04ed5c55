using ActorTrainer.He.Circuits;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>
/// O = P·V with P_δ[t] = exp(−κ·‖q_t − k_{t+δ}‖²)·mask, κ = 1/(2√d), for all heads at once (Rho et al., arXiv 2410.02486, section 3.2), and no row
/// normalisation. Backward: G = (dO·Vᵀ) ∘ P, dq = −2κ·(q ∘ ΣG − G·K), dk = 2κ·(Gᵀ·Q − k ∘ ΣGᵀ), dv = Pᵀ·dO; sums over pairs are <see cref="TokenShifts"/>.
/// Forward takes 1 level of q and 3 of k and v, which end at level 1 at least, and a refresh of exponents; backward 3 of dO, and refreshes of G and P.
/// </summary>
/// <param name="exp">On exponents of real tokens, zero included.</param>
/// <param name="name">For sites of refreshes.</param>
public sealed class GaussianAttention(TokenShifts shifts, FunctionCircuit exp, int headWidth, string name)
{
    /// <summary>Level of what is multiplied and summed over features. Sums stand one above the lowest level, whose single prime leaves room for numbers up to about a hundred only.</summary>
    private const int Pairs = 2;

    private readonly double _kappa = 1 / (2 * Math.Sqrt(headWidth));

    /// <summary>What backward needs; owned by whoever holds it.</summary>
    public sealed class Tape(Activation q, Activation k, Ciphertext[][] keys, Ciphertext[][] values, Ciphertext[][] weights) : IDisposable
    {
        internal Activation Queries { get; } = q;

        internal Activation Keys { get; } = k;

        /// <summary>Copies of k and v by token shift, for each ciphertext of an activation.</summary>
        internal Ciphertext[][] KeyCopies { get; } = keys;

        internal Ciphertext[][] ValueCopies { get; } = values;

        /// <summary>P.</summary>
        internal Ciphertext[][] Weights { get; } = weights;

        public void Dispose()
        {
            Queries.Dispose();
            Keys.Dispose();
            foreach (var ciphertext in KeyCopies.Concat(ValueCopies).Concat(Weights).SelectMany(c => c))
            {
                ciphertext.Dispose();
            }
        }
    }

    /// <summary>Of sums of squared distances, before −κ. Those that the mask makes zero do not count: a shift that stands for no token, and, which only the owner knows, padding.</summary>
    public IEnumerable<SiteRange> Ranges => Enumerable.Range(0, shifts.Parts).SelectMany(c => Enumerable.Range(0, shifts.Groups).Select(group => SiteRange.Of(ExponentSite(c, group), exp, -_kappa) with
    {
        Slots = shifts.Filled(group),
        ShiftGroup = group,
    }));

    /// <summary>O at <paramref name="level"/>.</summary>
    /// <param name="mask">For each group of shifts: one where place i's shift from token t leads to a real token, else zero.</param>
    public (Activation Output, Tape Tape) Forward(TensorMath math, Activation q, Activation k, Activation v, IReadOnlyList<Ciphertext> mask, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        // Queries wait for backward, which shears them.
        var lifted = math.At([.. q.Parts, .. k.Parts, .. v.Parts], Math.Max(level + 1, Pairs) + TokenShifts.ShearLevels, $"{name}.input");
        var (queries, keys) = (new Activation(q.Layout, lifted[..q.Parts.Count]), new Activation(k.Layout, lifted[q.Parts.Count..(2 * q.Parts.Count)]));
        using var values = new Activation(v.Layout, lifted[(2 * q.Parts.Count)..]);
        var keyCopies = Copies(math, keys);
        var valueCopies = Copies(math, values);
        var weights = queries.Parts.Select((part, c) => Weights(math, part, keyCopies[c], mask, c, level + 1)).ToArray();
        var output = weights.Select((w, c) => shifts.Spread(math, w, valueCopies[c])).ToArray();
        return (new Activation(v.Layout, output), new Tape(queries, keys, keyCopies, valueCopies, weights));
    }

    /// <summary>dq, dk and dv at <paramref name="level"/>.</summary>
    public (Activation Q, Activation K, Activation V) Backward(TensorMath math, Tape tape, Activation gradient, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        using var g = math.At(gradient, level + 1 + TokenShifts.ShearLevels, $"{name}.gradient");
        using var queries = math.At(tape.Queries, level + 1 + TokenShifts.ShearLevels, $"{name}.q");
        var (dq, dk, dv) = (new Ciphertext[g.Parts.Count], new Ciphertext[g.Parts.Count], new Ciphertext[g.Parts.Count]);
        for (var c = 0; c < g.Parts.Count; c++)
        {
            (dq[c], dk[c]) = Distances(math, tape, c, g.Parts[c], queries.Parts[c], level);
            dv[c] = Values(math, tape.Weights[c], g.Parts[c], c, level);
        }

        return (new Activation(gradient.Layout, dq), new Activation(gradient.Layout, dk), new Activation(gradient.Layout, dv));
    }

    private string ExponentSite(int c, int group) => $"{name}.exponent.{c}.{group}";

    private Ciphertext[][] Copies(TensorMath math, Activation x) => [.. x.Parts.Select(part => shifts.Sheared(math, part))];

    private Ciphertext[] Weights(TensorMath math, Ciphertext q, Ciphertext[] copies, IReadOnlyList<Ciphertext> mask, int c, int level)
    {
        using var low = math.At(q, Pairs, $"{name}.q.{c}");
        var sums = shifts.Gather(math, n =>
        {
            using var difference = math.Evaluator.Subtract(low, copies[n]);
            return math.Evaluator.MultiplyLazy(difference, difference);
        });
        return [.. sums.Select((sum, group) =>
        {
            using (sum)
            {
                // −κ and the domain's map onto [−1, 1] in one product; exponents of padding tokens are nobody's business and become zero.
                using var distance = math.At(sum, exp.MappedDepth + level + 3, ExponentSite(c, group));
                using var scaled = math.Product(distance, -_kappa * exp.Map.Slope);
                using var inside = math.At(mask[group], exp.MappedDepth + level + 2, $"{name}.mask");
                using var masked = math.Product(scaled, inside);
                using var mapped = math.Evaluator.Add(masked, exp.Map.Offset);
                using var value = exp.EvaluateMapped(math.Evaluator, mapped.WithMagnitude(1));
                using var real = math.At(mask[group], level + 1, $"{name}.mask");
                return math.Product(value, real);
            }
        })];
    }

    /// <summary>dq and dk, from G' = −2κ·G: dq = q ∘ ΣG' − G'·K, dk = k ∘ ΣG'ᵀ − G'ᵀ·Q.</summary>
    private (Ciphertext Q, Ciphertext K) Distances(TensorMath math, Tape tape, int c, Ciphertext gradient, Ciphertext q, int level)
    {
        using var low = math.At(gradient, Pairs, $"{name}.gradient.{c}");
        var slopes = shifts.Gather(math, n =>
        {
            using var copy = math.At(tape.ValueCopies[c][n], Pairs, $"{name}.values.{c}.{n}");
            return math.Evaluator.MultiplyLazy(low, copy);
        });
        var scaled = slopes.Select((slope, group) =>
        {
            using (slope)
            {
                using var weight = math.At(tape.Weights[c][group], level + 4, $"{name}.weight.{c}.{group}");
                using var lifted = math.At(slope, level + 4, $"{name}.slope.{c}.{group}");
                using var product = math.Product(lifted, weight);
                return math.Product(product, -2 * _kappa);
            }
        }).ToArray();
        var transposed = shifts.Transposed(math, scaled);
        using var turned = new Held(shifts.Sheared(math, q));
        var dq = Side(math, q, scaled, tape.KeyCopies[c], $"dq.{c}", level);
        var dk = Side(math, tape.Keys.Parts[c], transposed, turned.Items, $"dk.{c}", level);
        Array.ForEach(scaled, s => s.Dispose());
        Array.ForEach(transposed, s => s.Dispose());
        return (dq, dk);
    }

    /// <summary>own ∘ ΣG' − G'·other.</summary>
    private Ciphertext Side(TensorMath math, Ciphertext own, Ciphertext[] weights, IReadOnlyList<Ciphertext> copies, string what, int level)
    {
        using var lowered = new Held([.. weights.Select((w, g) => math.At(w, level + 1, $"{name}.{what}.slopes.{g}"))]);
        using var lowCopies = new Held([.. copies.Select((copy, n) => math.At(copy, level + 1, $"{name}.{what}.copy.{n}"))]);
        using var sum = math.Sum(lowered.Items);
        using var total = math.SumHead(sum);
        using var at = math.At(own, level + 1, $"{name}.{what}.own");
        using var first = math.Product(at, total);
        using var second = shifts.Spread(math, lowered.Items, lowCopies.Items);
        return math.Evaluator.Subtract(first, second);
    }

    /// <summary>dv = Pᵀ·dO.</summary>
    private Ciphertext Values(TensorMath math, Ciphertext[] weights, Ciphertext gradient, int c, int level)
    {
        using var lifted = new Held([.. weights.Select((w, g) => math.At(w, level + 2, $"{name}.weight.{c}.{g}"))]);
        using var transposed = new Held(shifts.Transposed(math, lifted.Items));
        using var copies = new Held(shifts.Sheared(math, gradient));
        return shifts.Spread(math, transposed.Items, copies.Items);
    }

    /// <summary>Ciphertexts that are freed together.</summary>
    private sealed class Held(Ciphertext[] items) : IDisposable
    {
        public Ciphertext[] Items => items;

        public void Dispose() => Array.ForEach(items, item => item.Dispose());
    }
}
