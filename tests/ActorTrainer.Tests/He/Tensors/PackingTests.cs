using ActorTrainer.He.Tensors;
using Xunit;

namespace ActorTrainer.Tests.He.Tensors;

public sealed class PackingTests
{
    [Theory]
    [InlineData(16384, 16, 16, 4, 16, 64, 1, 4)]
    [InlineData(16384, 128, 1, 12, 64, 128, 6, 2)]
    [InlineData(1024, 8, 2, 3, 5, 64, 1, 8)]
    public void Features_lie_in_as_few_ciphertexts_as_whole_heads_allow(int slots, int tokens, int batch, int heads, int width, int places, int ciphertexts, int headsEach)
    {
        var packing = new Packing(slots, tokens, batch, heads, width);

        Assert.Equal((places, ciphertexts, headsEach), (packing.Places, packing.Hidden.Ciphertexts, packing.HeadsPerCiphertext));
        var features = Enumerable.Range(0, ciphertexts).SelectMany(c => Enumerable.Range(0, places).Select(p => packing.Hidden.FeatureAt(c, p))).Where(f => f >= 0);
        Assert.Equal(Enumerable.Range(0, heads * width), features.Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_packed_comes_back(bool byHead)
    {
        var packing = new Packing(1024, 8, 2, 3, 5);
        var layout = byHead ? packing.Hidden : packing.Plain(70);

        var slots = layout.Pack((b, t, f) => (b * 10000) + (t * 100) + f + 1);
        var back = layout.Unpack(slots);

        Assert.Equal(layout.Features * 16, slots.Sum(s => s.Count(v => v != 0)));
        Assert.All(Enumerable.Range(0, layout.Features), f => Assert.Equal(10000 + 300 + f + 1, back[1, 3, f]));
    }

    [Fact]
    public void Features_of_a_head_are_equally_far_apart_and_wrap_around()
    {
        var packing = new Packing(16384, 16, 16, 4, 16);

        for (var i = 0; i < 16; i++)
        {
            Assert.Equal((2 * 16) + i, packing.Hidden.FeatureAt(0, ((i * packing.FeatureStride / packing.PlaceStride) + 2) % packing.Places));
        }

        Assert.Equal(packing.Slots, 16 * packing.FeatureStride);
    }

    [Theory]
    [InlineData(1024, 12, 2, 3, 5)]
    [InlineData(1024, 1024, 2, 3, 5)]
    [InlineData(1024, 64, 2, 3, 9)]
    [InlineData(1024, 8, 2, 0, 9)]
    public void A_shape_that_does_not_fit_is_refused(int slots, int tokens, int batch, int heads, int width) =>
        Assert.Throws<ArgumentException>(() => new Packing(slots, tokens, batch, heads, width));
}
