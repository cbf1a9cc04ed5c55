using ActorTrainer.He.Backends;

namespace ActorTrainer.He.Tensors;

/// <summary>The maps of slots that layers need, for a packing.</summary>
public static class SlotMaps
{
    /// <summary>y = W·x over features, for every token and example: a row for each ciphertext of the result, a column for each of the input.</summary>
    /// <param name="weight">Of (feature of the result, feature of the input).</param>
    public static DiagonalMatrix OfWeights(FeatureLayout to, FeatureLayout from, Func<int, int, double> weight) => OfBlocks([to], [from], (_, _, o, i) => weight(o, i));

    /// <summary>Several maps as one, whose inputs are rotated once: y_r = Σ_c W_rc·x_c, the results' ciphertexts as rows one after the other, and the inputs' as columns.</summary>
    /// <param name="weight">Of (r, c, feature of the result, feature of the input).</param>
    public static DiagonalMatrix OfBlocks(IReadOnlyList<FeatureLayout> to, IReadOnlyList<FeatureLayout> from, Func<int, int, int, int, double> weight)
    {
        var rows = to.SelectMany((layout, r) => Enumerable.Range(0, layout.Ciphertexts).Select(row => (Layout: layout, Which: r, Part: row))).ToArray();
        var columns = from.SelectMany((layout, c) => Enumerable.Range(0, layout.Ciphertexts).Select(column => (Layout: layout, Which: c, Part: column))).ToArray();
        var blocks = new IReadOnlyDictionary<int, PlainVector>[rows.Length, columns.Length];
        for (var row = 0; row < rows.Length; row++)
        {
            for (var column = 0; column < columns.Length; column++)
            {
                var (y, x) = (rows[row], columns[column]);
                blocks[row, column] = Weights(y.Layout, y.Part, x.Layout, x.Part, column == 0, (o, i) => weight(y.Which, x.Which, o, i));
            }
        }

        return new DiagonalMatrix(blocks);
    }

    /// <summary>
    /// The copy of an activation in which every place looks as many tokens ahead as the shift that its place stands for, seen from <paramref name="turn"/> places on:
    /// X⁽ˢ'ᵍ⁾[i, t] = X[i, t + δ((i − s) mod D, g)].
    /// </summary>
    /// <param name="turn">s, 0 … D − 1.</param>
    /// <param name="group">g; see <see cref="ShiftGroups"/>.</param>
    public static SlotMoves Sheared(Packing packing, int turn, int group)
    {
        var map = new SlotMoves(packing.Slots);
        for (var slot = 0; slot < packing.Slots; slot++)
        {
            var (i, rest) = (slot / packing.FeatureStride, slot % packing.FeatureStride);
            if (ShiftAt(packing, (i - turn + packing.HeadPlaces) % packing.HeadPlaces, group) is var shift and >= 0)
            {
                map.Add(slot, (i * packing.FeatureStride) + Ahead(packing, rest, shift));
            }
        }

        return map;
    }

    /// <summary>Every place looks as many tokens ahead as its number within a head: Y[i, t] = X[i, (t + i) mod T]. All sheared copies are cyclic turns of it by tokens.</summary>
    public static SlotMoves Slanted(Packing packing)
    {
        var map = new SlotMoves(packing.Slots);
        for (var slot = 0; slot < packing.Slots; slot++)
        {
            var (i, rest) = (slot / packing.FeatureStride, slot % packing.FeatureStride);
            map.Add(slot, (i * packing.FeatureStride) + Ahead(packing, rest, i % packing.Tokens));
        }

        return map;
    }

    /// <summary>From the slanted copy to the one of <see cref="Sheared"/>: X⁽ˢ'ᵍ⁾[i, t] = Y[i, t + δ((i − s) mod D, g) − i], where the shift is −s + D·g, or D more for places below s.</summary>
    public static SlotMoves FromSlanted(Packing packing, int turn, int group)
    {
        var map = new SlotMoves(packing.Slots);
        for (var slot = 0; slot < packing.Slots; slot++)
        {
            var (i, rest) = (slot / packing.FeatureStride, slot % packing.FeatureStride);
            if (ShiftAt(packing, (i - turn + packing.HeadPlaces) % packing.HeadPlaces, group) is var shift and >= 0)
            {
                map.Add(slot, (i * packing.FeatureStride) + Ahead(packing, rest, (shift - i + (packing.HeadPlaces * packing.Tokens)) % packing.Tokens));
            }
        }

        return map;
    }

    /// <summary>
    /// From weights by the shift that leads to the other token to weights by the shift that leads back: block (g, g') of Pᵀ_δ[t] = P_−δ[t + δ].
    /// </summary>
    public static SlotMoves Transposed(Packing packing, int group, int from)
    {
        var map = new SlotMoves(packing.Slots);
        for (var slot = 0; slot < packing.Slots; slot++)
        {
            var (i, rest) = (slot / packing.FeatureStride, slot % packing.FeatureStride);
            var shift = ShiftAt(packing, i, group);
            var back = shift < 0 ? -1 : (packing.Tokens - shift) % packing.Tokens;
            if (back >= 0 && back / packing.HeadPlaces == from)
            {
                map.Add(slot, (back % packing.HeadPlaces * packing.FeatureStride) + Ahead(packing, rest, shift));
            }
        }

        return map;
    }

    /// <summary>Moves by result (row) and input (column) as an operand of a program.</summary>
    public static DiagonalMatrix ToMatrix(SlotMoves[,] blocks)
    {
        var diagonals = new IReadOnlyDictionary<int, PlainVector>[blocks.GetLength(0), blocks.GetLength(1)];
        for (var row = 0; row < blocks.GetLength(0); row++)
        {
            for (var column = 0; column < blocks.GetLength(1); column++)
            {
                diagonals[row, column] = blocks[row, column].ToDiagonals();
            }
        }

        return new DiagonalMatrix(diagonals);
    }

    /// <summary>Ciphertexts for all shifts of tokens: a head's places hold D of T shifts each.</summary>
    public static int ShiftGroups(Packing packing) => Math.Max(1, packing.Tokens / packing.HeadPlaces);

    /// <summary>δ(i, g): the shift of tokens that place i of a head stands for, −1 for none (there are more places than tokens).</summary>
    public static int ShiftAt(Packing packing, int place, int group) => place + (packing.HeadPlaces * group) is var shift && shift < packing.Tokens ? shift : -1;

    /// <summary>The slot, within a feature, of the token so many further.</summary>
    private static int Ahead(Packing packing, int rest, int shift)
    {
        var (head, t, b) = (rest / packing.PlaceStride, rest % packing.PlaceStride / packing.Batch, rest % packing.Batch);
        return (head * packing.PlaceStride) + ((t + shift) % packing.Tokens * packing.Batch) + b;
    }

    private static Dictionary<int, PlainVector> Weights(FeatureLayout to, int row, FeatureLayout from, int column, bool first, Func<int, int, double> weight)
    {
        var (packing, diagonals) = (to.Packing, new Dictionary<int, PlainVector>());
        for (var shift = 0; shift < packing.Places; shift++)
        {
            var values = Enumerable.Range(0, packing.Places).Select(place => Weight(place, (place + shift) % packing.Places)).ToArray();
            // A row of zeros still has to have something.
            if (values.Any(v => v != 0) || (shift == 0 && first))
            {
                diagonals.Add(shift * packing.PlaceStride, new PlaceValues(packing, values).ToVector());
            }
        }

        return diagonals;

        double Weight(int result, int input) =>
            to.FeatureAt(row, result) is var o and >= 0 && from.FeatureAt(column, input) is var i and >= 0 ? weight(o, i) : 0;
    }
}
