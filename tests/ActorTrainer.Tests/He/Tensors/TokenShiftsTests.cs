using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using Xunit;

namespace ActorTrainer.Tests.He.Tensors;

public sealed class TokenShiftsTests
{
    [Theory]
    [InlineData(8, 2, 4, 8)]
    [InlineData(32, 1, 3, 8)]
    [InlineData(4, 4, 2, 16)]
    public void Exponents_weighted_sums_and_their_transposes_are_those_of_attention(int tokens, int batch, int heads, int width)
    {
        var twin = new TwinBackend(new CkksParameters(ParameterSets.ToyL15));
        var math = new TensorMath(new Evaluator(twin), new ClearRefresher(twin), new Packing(1024, tokens, batch, heads, width));
        var (packing, random) = (math.Packing, new Random(1));
        var (qs, ks) = (packing.Hidden.Pack((_, _, _) => random.NextDouble()), packing.Hidden.Pack((_, _, _) => random.NextDouble()));
        var (q, k) = (packing.Hidden.Unpack(qs), packing.Hidden.Unpack(ks));
        var shifts = new TokenShifts(packing);
        var (qc, kc) = (twin.Encrypt(new PlainVector(qs[0]), 9), twin.Encrypt(new PlainVector(ks[0]), 9));

        var copies = shifts.Sheared(math, kc);
        var weights = shifts.Gather(math, n =>
        {
            using var difference = math.Evaluator.Subtract(qc, copies[n]);
            return math.Evaluator.MultiplyLazy(difference, difference);
        });
        // Where a place stands for no shift, weights are zero: a mask does that in attention.
        var masked = weights.Select((w, g) => math.Evaluator.Multiply(w, new PlainVector([.. Enumerable.Range(0, packing.Slots).Select(slot => SlotMaps.ShiftAt(packing, slot / packing.FeatureStride, g) < 0 ? 0.0 : 1)]))).Select(math.Evaluator.Rescale).ToArray();
        var outputs = Values(shifts.Spread(math, masked, copies));
        var back = Values(shifts.Spread(math, shifts.Transposed(math, masked), shifts.Sheared(math, qc)));

        foreach (var (place, t, b) in Enumerable.Range(0, packing.Slots).Select(slot => (slot / packing.PlaceStride, slot % packing.PlaceStride / batch, slot % batch)))
        {
            if (packing.Hidden.FeatureAt(0, place) is var feature and >= 0)
            {
                var head = feature / width;
                double Distance(int from, int to) => Enumerable.Range(head * width, width).Sum(f => Math.Pow(q[b, from, f] - k[b, to, f], 2));
                var slot = (place * packing.PlaceStride) + (t * batch) + b;
                Assert.Equal(Enumerable.Range(0, tokens).Sum(j => Distance(t, j) * k[b, j, feature]), outputs[slot], 1e-8);
                Assert.Equal(Enumerable.Range(0, tokens).Sum(j => Distance(j, t) * q[b, j, feature]), back[slot], 1e-8);
            }
        }
    }

    private static double[] Values(Ciphertext c) => [.. TwinBackend.Values(c).Select(v => v.Real)];
}
