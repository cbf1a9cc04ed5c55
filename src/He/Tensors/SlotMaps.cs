namespace ActorTrainer.He.Tensors;

/// <summary>The maps of slots that layers need, for a packing.</summary>
public static class SlotMaps
{
    /// <summary>Block (to, from) of y = W·x over features: as many rows as the result has ciphertexts, as many columns as the input has.</summary>
    /// <param name="weight">Of (feature of the result, feature of the input).</param>
    public static SlotMap[,] OfWeights(FeatureLayout to, FeatureLayout from, Func<int, int, double> weight)
    {
        var (packing, blocks) = (to.Packing, new SlotMap[to.Ciphertexts, from.Ciphertexts]);
        for (var row = 0; row < to.Ciphertexts; row++)
        {
            for (var column = 0; column < from.Ciphertexts; column++)
            {
                var map = blocks[row, column] = new SlotMap(packing.Slots);
                foreach (var (p, q) in Pairs(packing.Places))
                {
                    var (result, input) = (to.FeatureAt(row, p), from.FeatureAt(column, q));
                    if (result >= 0 && input >= 0 && weight(result, input) is var factor && factor != 0)
                    {
                        Fill(map, packing, p, q, factor);
                    }
                }
            }
        }

        return blocks;
    }

    /// <summary>
    /// The copy of an activation in which every place looks as many tokens ahead as the shift that its place stands for, seen from <paramref name="turn"/> places on:
    /// X⁽ˢ'ᵍ⁾[i, t] = X[i, t + δ((i − s) mod D, g)].
    /// </summary>
    /// <param name="turn">s, 0 … D − 1.</param>
    /// <param name="group">g; see <see cref="ShiftGroups"/>.</param>
    public static SlotMap Sheared(Packing packing, int turn, int group)
    {
        var map = new SlotMap(packing.Slots);
        for (var slot = 0; slot < packing.Slots; slot++)
        {
            var (i, rest) = (slot / packing.FeatureStride, slot % packing.FeatureStride);
            if (ShiftAt(packing, (i - turn + packing.HeadPlaces) % packing.HeadPlaces, group) is var shift and >= 0)
            {
                map.Add(slot, (i * packing.FeatureStride) + Ahead(packing, rest, shift), 1);
            }
        }

        return map;
    }

    /// <summary>
    /// From weights by the shift that leads to the other token to weights by the shift that leads back: block (g, g') of Pᵀ_δ[t] = P_−δ[t + δ].
    /// </summary>
    public static SlotMap Transposed(Packing packing, int group, int from)
    {
        var map = new SlotMap(packing.Slots);
        for (var slot = 0; slot < packing.Slots; slot++)
        {
            var (i, rest) = (slot / packing.FeatureStride, slot % packing.FeatureStride);
            var shift = ShiftAt(packing, i, group);
            var back = shift < 0 ? -1 : (packing.Tokens - shift) % packing.Tokens;
            if (back >= 0 && back / packing.HeadPlaces == from)
            {
                map.Add(slot, (back % packing.HeadPlaces * packing.FeatureStride) + Ahead(packing, rest, shift), 1);
            }
        }

        return map;
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

    private static void Fill(SlotMap map, Packing packing, int p, int q, double factor)
    {
        for (var i = 0; i < packing.PlaceStride; i++)
        {
            map.Add((p * packing.PlaceStride) + i, (q * packing.PlaceStride) + i, factor);
        }
    }

    private static IEnumerable<(int P, int Q)> Pairs(int count) => Enumerable.Range(0, count).SelectMany(p => Enumerable.Range(0, count).Select(q => (p, q)));
}
