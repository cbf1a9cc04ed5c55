using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>
/// Vectors that are the same in every slot of a run of <paramref name="period"/> slots, packed as one ciphertext, vector k at the k-th slot of each run: so an optimiser's arithmetic on all of them
/// costs what it costs on one. Terms of gradients, which differ within a run, are summed on the way.
/// </summary>
/// <param name="period">Slots of a run: tokens · batch for adapters, batch for a head's matrices.</param>
/// <param name="name">For sites of refreshes.</param>
public sealed class VectorPack(Packing packing, int period, string name)
{
    /// <summary>Sums of terms over runs, packed; at <paramref name="level"/>.</summary>
    /// <param name="terms">As many as fit.</param>
    public Ciphertext Sum(TensorMath math, IReadOnlyList<Ciphertext> terms, int level)
    {
        Check(terms.Count);
        // By Horner's rule from the last to the first: one key serves all places.
        Ciphertext? packed = null;
        for (var k = terms.Count - 1; k >= 0; k--)
        {
            using var low = math.At(terms[k], level + 1, $"{name}.terms");
            using var sum = SlotSums.Sum(math.Evaluator, low, 1, period);
            packed = Joined(math, packed, sum);
        }

        return packed!;
    }

    /// <summary>The vectors again, each in all slots of its runs; at <paramref name="level"/>.</summary>
    public Ciphertext[] Spread(TensorMath math, Ciphertext packed, int count, int level)
    {
        Check(count);
        using var low = math.At(packed, level + 1, $"{name}.packed");
        return Array.ConvertAll(math.Evaluator.RotateMany(low, [.. Enumerable.Range(0, count)]), turned =>
        {
            using (turned)
            {
                using var first = First(math, turned);
                return SlotSums.Replicate(math.Evaluator, first, 1, period);
            }
        });
    }

    /// <summary>Slots of a packed ciphertext from vectors in the clear, as an owner encrypts them.</summary>
    /// <param name="vectors">Of slots, the same within each run.</param>
    public double[] Slots(IReadOnlyList<double[]> vectors)
    {
        Check(vectors.Count);
        return [.. Enumerable.Range(0, packing.Slots).Select(slot => slot % period < vectors.Count ? vectors[slot % period][slot] : 0)];
    }

    private Ciphertext Joined(TensorMath math, Ciphertext? packed, Ciphertext sum)
    {
        var first = First(math, sum);
        if (packed is null)
        {
            return first;
        }

        using (first)
        using (packed)
        {
            using var turned = math.Evaluator.Rotate(packed, -1);
            return math.Evaluator.Add(turned, first);
        }
    }

    /// <summary>The first slot of each run, zero in the others.</summary>
    private Ciphertext First(TensorMath math, Ciphertext x)
    {
        using var masked = math.Evaluator.Multiply(x, new PlainVector(Enumerable.Range(0, period).Select(slot => slot == 0 ? 1.0 : 0)));
        return math.Evaluator.Rescale(masked);
    }

    private void Check(int count)
    {
        if (count < 1 || count > period)
        {
            throw new ArgumentException($"A pack of period {period} holds 1 to {period} vectors; found {count}. Use several packs.");
        }
    }
}
