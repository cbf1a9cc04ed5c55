using ActorTrainer.He.Tensors;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>Numbers of a micro-batch as slots, in the layout that layers, head and losses expect.</summary>
/// <param name="packing">Where they lie.</param>
/// <param name="sequence">Tokens of a row as it was exported.</param>
internal sealed class MicroBatchSlots(Packing packing, int sequence)
{
    private readonly int _hidden = packing.Heads * packing.HeadWidth;

    /// <summary>
    /// The activation: a list for each ciphertext. Tokens beyond the export repeat its last one: masks hide them, and as numbers of a real token they stay in the
    /// domain of every polynomial, which zeros would not.
    /// </summary>
    /// <param name="rows">[example], each sequence × hidden, row-major.</param>
    public double[][] Inputs(IReadOnlyList<float[]> rows) =>
        packing.Hidden.Pack((b, t, f) => rows[b][(Math.Min(t, sequence - 1) * _hidden) + f]);

    /// <summary>For each group of shifts: one where the shift that a place stands for leads to a real token, else zero.</summary>
    /// <param name="tokens">[example], tokens without padding.</param>
    public double[][] Masks(IReadOnlyList<int> tokens) => [.. Enumerable.Range(0, SlotMaps.ShiftGroups(packing)).Select(group => Mask(tokens, group))];

    /// <summary>The same for one group.</summary>
    public double[] Mask(IReadOnlyList<int> tokens, int group)
    {
        var slots = new double[packing.Slots];
        for (var slot = 0; slot < slots.Length; slot++)
        {
            var shift = SlotMaps.ShiftAt(packing, slot / packing.FeatureStride, group);
            var (t, b) = (slot % packing.PlaceStride / packing.Batch, slot % packing.Batch);
            slots[slot] = shift >= 0 && (t + shift) % packing.Tokens < tokens[b] ? 1 : 0;
        }

        return slots;
    }

    /// <summary>For each output, a number for each example, which stands in every place and token: one-hot, or the number itself.</summary>
    /// <param name="labels">[example].</param>
    public static double[][] Targets(IReadOnlyList<float> labels, int outputs, bool isRegression) =>
        [.. Enumerable.Range(0, outputs).Select(output => labels.Select(label => isRegression ? label : (int)label == output ? 1.0 : 0).ToArray())];
}
