using ActorTrainer.He.Backends;
using ActorTrainer.He.Tensors;
using Xunit;

namespace ActorTrainer.Tests.He.Tensors;

public sealed class SlotMapsTests
{
    public static TheoryData<int, int, int, int, int> Shapes() => new()
    {
        { 512, 8, 2, 4, 8 },
        { 256, 16, 1, 3, 4 },
        { 1024, 4, 4, 2, 7 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_matrix_of_weights_maps_features_of_every_token_and_example(int slots, int tokens, int batch, int heads, int width)
    {
        var packing = new Packing(slots, tokens, batch, heads, width);
        var (from, to) = (packing.Hidden, packing.Plain(2 * packing.Places));
        var random = new Random(1);
        var weights = Made(random, to.Features, from.Features);
        var x = from.Pack((_, _, _) => random.NextDouble());
        var input = from.Unpack(x);

        var result = to.Unpack(Apply(SlotMaps.OfWeights(to, from, (o, i) => weights[o, i]), x));

        foreach (var (b, t, o) in Cells(batch, tokens, to.Features))
        {
            Assert.Equal(Enumerable.Range(0, from.Features).Sum(i => weights[o, i] * input[b, t, i]), result[b, t, o], 1e-12);
        }
    }

    /// <summary>The identities that attention rests on, in full: exponents, outputs and their transposes are sums over turned, sheared copies.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void Sums_over_turned_and_sheared_copies_are_attention(int slots, int tokens, int batch, int heads, int width)
    {
        var packing = new Packing(slots, tokens, batch, heads, width);
        var (layout, random) = (packing.Hidden, new Random(2));
        var (qs, ks) = (layout.Pack((_, _, _) => random.NextDouble()), layout.Pack((_, _, _) => random.NextDouble()));
        var (q, k) = (layout.Unpack(qs), layout.Unpack(ks));
        var turns = Enumerable.Range(0, packing.HeadPlaces).ToArray();
        for (var c = 0; c < layout.Ciphertexts; c++)
        {
            var groups = Enumerable.Range(0, SlotMaps.ShiftGroups(packing)).ToArray();
            var exponents = groups.Select(g => Sum(turns.Select(s => Turned(packing, [.. qs[c].Zip(Moved(SlotMaps.Sheared(packing, s, g), ks[c]), (a, b) => (a - b) * (a - b))], s)))).ToArray();
            // Places that stand for no shift hold nothing of use; what weights them is zero.
            var weights = groups.Select(g => exponents[g].Select((e, slot) => SlotMaps.ShiftAt(packing, slot / packing.FeatureStride, g) < 0 ? 0 : e).ToArray()).ToArray();
            var outputs = Sum(groups.SelectMany(g => turns.Select(s => Times(Turned(packing, weights[g], s), Moved(SlotMaps.Sheared(packing, (packing.HeadPlaces - s) % packing.HeadPlaces, g), ks[c])))));
            var transposed = groups.Select(g => Sum(groups.Select(f => Moved(SlotMaps.Transposed(packing, g, f), weights[f])))).ToArray();
            var back = Sum(groups.SelectMany(g => turns.Select(s => Times(Turned(packing, transposed[g], s), Moved(SlotMaps.Sheared(packing, (packing.HeadPlaces - s) % packing.HeadPlaces, g), qs[c])))));

            for (var slot = 0; slot < slots; slot++)
            {
                var feature = layout.FeatureAt(c, slot / packing.PlaceStride);
                var (t, b) = (slot % packing.PlaceStride / packing.Batch, slot % packing.Batch);
                if (feature >= 0)
                {
                    var head = feature / width;
                    double Distance(int from, int to) => Enumerable.Range(head * width, width).Sum(f => Math.Pow(q[b, from, f] - k[b, to, f], 2));
                    Assert.Equal(Enumerable.Range(0, tokens).Sum(j => Distance(t, j) * k[b, j, feature]), outputs[slot], 1e-9);
                    Assert.Equal(Enumerable.Range(0, tokens).Sum(j => Distance(j, t) * q[b, j, feature]), back[slot], 1e-9);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Sheared_copies_are_turns_of_the_slanted_one_with_at_most_four_masks(int slots, int tokens, int batch, int heads, int width)
    {
        var packing = new Packing(slots, tokens, batch, heads, width);
        var random = new Random(3);
        var x = Enumerable.Range(0, slots).Select(_ => random.NextDouble()).ToArray();
        var slanted = Moved(SlotMaps.Slanted(packing), x);

        foreach (var (turn, group) in Enumerable.Range(0, packing.HeadPlaces * SlotMaps.ShiftGroups(packing)).Select(n => (n % packing.HeadPlaces, n / packing.HeadPlaces)))
        {
            var moves = SlotMaps.FromSlanted(packing, turn, group);
            Assert.InRange(moves.ToDiagonals().Count, 1, 4);
            Assert.Equal(Moved(SlotMaps.Sheared(packing, turn, group), x), Moved(moves, slanted));
        }

        Assert.InRange(SlotMaps.Slanted(packing).ToDiagonals().Count, 1, (2 * tokens) - 1);
    }

    [Fact]
    public void A_sheared_copy_takes_few_rotations()
    {
        var packing = new Packing(16384, 16, 16, 4, 16);

        var shifts = Enumerable.Range(0, 16).SelectMany(s => SlotMaps.Sheared(packing, s, 0).ToDiagonals().Keys).Distinct().ToArray();

        Assert.Equal(31, shifts.Length);
        Assert.All(shifts, shift => Assert.Equal(0, shift % 16));
        Assert.InRange(SlotMaps.Transposed(packing, 0, 0).ToDiagonals().Count, 16, 32);
        Assert.Equal(64, SlotMaps.OfWeights(packing.Hidden, packing.Hidden, (_, _) => 1).Diagonals.Count);
    }

    private static double[] Moved(SlotMoves moves, double[] x) =>
        moves.ToDiagonals().Count == 0 ? new double[x.Length] : Apply(SlotMaps.ToMatrix(new[,] { { moves } }), [x])[0];

    private static double[][] Apply(DiagonalMatrix map, double[][] x)
    {
        var results = Enumerable.Range(0, map.Rows).Select(_ => new double[x[0].Length]).ToArray();
        foreach (var diagonal in map.Diagonals)
        {
            for (var slot = 0; slot < x[0].Length; slot++)
            {
                results[diagonal.Row][slot] += diagonal.Values.Values[slot].Real * x[diagonal.Column][(slot + diagonal.Shift + x[0].Length) % x[0].Length];
            }
        }

        return results;
    }

    private static double[] Turned(Packing packing, double[] x, int turn) => [.. x.Select((_, slot) => x[(slot + (turn * packing.FeatureStride)) % x.Length])];

    private static double[] Times(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x * y)];

    private static double[] Sum(IEnumerable<double[]> terms) => terms.Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)]);

    private static double[,] Made(Random random, int rows, int columns)
    {
        var result = new double[rows, columns];
        foreach (var (_, o, i) in Cells(1, rows, columns))
        {
            result[o, i] = (2 * random.NextDouble()) - 1;
        }

        return result;
    }

    private static IEnumerable<(int A, int B, int C)> Cells(int a, int b, int c) =>
        Enumerable.Range(0, a).SelectMany(x => Enumerable.Range(0, b).SelectMany(y => Enumerable.Range(0, c).Select(z => (x, y, z))));
}
