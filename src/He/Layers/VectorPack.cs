using ActorTrainer.He.Circuits;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>
/// Vectors that are the same in every slot of a run of <paramref name="period"/> slots, packed as one ciphertext, vector k at the k-th slot of each run: so an optimiser's arithmetic on all of them
/// costs what it costs on one. Terms of gradients, which differ within a run, are summed on the way. Four are joined at a time (<see cref="PackStages"/>), so that each stage has a quarter of the
/// ciphertexts of the one before; a level a stage.
/// </summary>
/// <param name="period">Slots of a run, a power of two: tokens · batch for adapters, batch for a head's matrices.</param>
/// <param name="name">For sites of refreshes.</param>
public sealed class VectorPack(Packing packing, int period, string name)
{
    /// <summary>End of the name of the site where a pack is lifted.</summary>
    public const string PackedSite = ".packed";

    private const int Radix = 4;

    /// <summary>Sums of terms over runs, packed; at <paramref name="level"/>.</summary>
    /// <param name="terms">As many as fit. Those at level 1 and above are refreshed only after the first stage, when they are a quarter as many.</param>
    public Ciphertext Sum(TensorMath math, IReadOnlyList<Ciphertext> terms, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        Check(terms.Count);
        var (stages, width) = Stages(terms.Count);
        var left = stages.Count + (width < period ? 1 : 0);
        var current = terms;
        for (var s = 0; s < stages.Count; s++)
        {
            var ((from, radix), before) = (stages[s], current);
            left--;
            current = [.. before.Chunk(radix).Select((chunk, n) => Joined(math, chunk, from, radix, level + left, left, $"{name}.terms.{s}.{n}"))];
            Free(before, terms);
        }

        if (width == period)
        {
            return current[0];
        }

        using var low = math.At(current[0], level + 1, $"{name}.sum");
        Free(current, terms);
        using var sum = SlotSums.Sum(math.Evaluator, low, width, period / width);
        return First(math, sum, width);
    }

    /// <summary>A pack lifted to where <see cref="Spread"/> begins.</summary>
    public Ciphertext Lifted(TensorMath math, Ciphertext packed, int count, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        var (stages, width) = Stages(count);
        return math.At(packed, level + stages.Count + (width < period ? 1 : 0), $"{name}{PackedSite}");
    }

    /// <summary>The vectors again, each in all slots of its runs; at <paramref name="level"/>.</summary>
    public Ciphertext[] Spread(TensorMath math, Ciphertext packed, int count, int level)
    {
        using var entered = math.Evaluator.Ledger.Enter(name);
        Check(count);
        var (stages, width) = Stages(count);
        Ciphertext[] current = [Lifted(math, packed, count, level)];
        if (width < period)
        {
            using var whole = current[0];
            using var first = First(math, whole, width);
            current = [SlotSums.Replicate(math.Evaluator, first, width, period / width)];
        }

        for (var s = stages.Count - 1; s >= 0; s--)
        {
            var ((to, radix), before) = (stages[s], current);
            var wanted = (count + to - 1) / to;
            current = [.. before.SelectMany((x, n) => math.Transform([x], PackStages.Split(to, radix, Math.Min(radix, wanted - (n * radix)))))];
            Array.ForEach(before, x => x.Dispose());
        }

        return current;
    }

    /// <summary>Slots of a packed ciphertext from vectors in the clear, as an owner encrypts them.</summary>
    /// <param name="vectors">Of slots, the same within each run.</param>
    public double[] Slots(IReadOnlyList<double[]> vectors)
    {
        Check(vectors.Count);
        return [.. Enumerable.Range(0, packing.Slots).Select(slot => slot % period < vectors.Count ? vectors[slot % period][slot] : 0)];
    }

    /// <summary>Vectors of each ciphertext before each stage and the stage's radix, until there is one ciphertext; and its vectors.</summary>
    private (IReadOnlyList<(int Width, int Radix)> Stages, int Width) Stages(int count)
    {
        var (stages, width) = (new List<(int, int)>(), 1);
        while (width < count)
        {
            var radix = Math.Min(Radix, period / width);
            stages.Add((width, radix));
            width *= radix;
        }

        return (stages, width);
    }

    /// <param name="wanted">Level of the result, if its operands reach that; else what they reach, as long as stages are left to refresh before.</param>
    private static Ciphertext Joined(TensorMath math, Ciphertext[] parts, int width, int radix, int wanted, int left, string site)
    {
        var lowest = parts.Min(math.LevelOf);
        var at = lowest > wanted || left == 0 || lowest == 0 ? wanted + 1 : lowest;
        var aligned = math.At(parts, at, site);
        var joined = math.Transform(aligned, PackStages.Join(width, radix, parts.Length))[0];
        Array.ForEach(aligned, part => part.Dispose());
        return joined;
    }

    private Ciphertext First(TensorMath math, Ciphertext x, int width)
    {
        using var masked = math.Evaluator.Multiply(x, PackStages.First(width, period));
        return math.Evaluator.Rescale(masked);
    }

    private static void Free(IReadOnlyList<Ciphertext> stage, IReadOnlyList<Ciphertext> terms)
    {
        if (!ReferenceEquals(stage, terms))
        {
            foreach (var ciphertext in stage)
            {
                ciphertext.Dispose();
            }
        }
    }

    private void Check(int count)
    {
        if (count < 1 || count > period)
        {
            throw new ArgumentException($"A pack of period {period} holds 1 to {period} vectors; found {count}. Use several packs.");
        }
    }
}
