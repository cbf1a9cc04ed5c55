using ActorTrainer.Model.Data;
using CsCheck;
using Xunit;

namespace ActorTrainer.Tests.Data;

public class BlockOrderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(97)]
    [InlineData(1_000)]
    [InlineData(4_096)]
    [InlineData(65_537)]
    public void Every_block_comes_once_in_an_epoch(long blocks)
    {
        for (var epoch = 0L; epoch < 3; epoch++)
        {
            var seen = new bool[blocks];
            for (var i = 0L; i < blocks; i++)
            {
                var block = BlockOrder.BlockAt(7, epoch, i, blocks);
                Assert.False(seen[block]);
                seen[block] = true;
            }
        }
    }

    [Fact]
    public void It_is_a_bijection_for_any_seed_epoch_and_size() =>
        Gen.Select(Gen.ULong, Gen.Long[0, 1000], Gen.Long[1, 300]).Sample(
            (seed, epoch, blocks) => Epoch(seed, epoch, blocks).Distinct().Count() == blocks && Epoch(seed, epoch, blocks).All(b => b >= 0 && b < blocks),
            iter: 300);

    [Fact]
    public void Seed_and_epoch_change_the_order_and_nothing_else_does()
    {
        Assert.Equal(Epoch(1, 0, 500), Epoch(1, 0, 500));
        Assert.NotEqual(Epoch(1, 0, 500), Epoch(1, 1, 500));
        Assert.NotEqual(Epoch(1, 0, 500), Epoch(2, 0, 500));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(12)]
    public void Each_block_is_about_equally_often_at_each_position(int blocks)
    {
        const int Epochs = 20_000;
        var counts = new int[blocks, blocks];
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            for (var i = 0; i < blocks; i++)
            {
                counts[i, BlockOrder.BlockAt(3, epoch, i, blocks)]++;
            }
        }

        var expected = (double)Epochs / blocks;
        foreach (var count in counts)
        {
            Assert.InRange(count, expected - 6 * Math.Sqrt(expected), expected + 6 * Math.Sqrt(expected));
        }
    }

    [Fact]
    public void Neighbours_are_scattered()
    {
        const int Blocks = 10_000;
        var steps = Epoch(1, 0, Blocks).Zip(Epoch(1, 0, Blocks).Skip(1), (a, b) => Math.Abs(a - b)).Average();

        // The mean distance of two uniform positions is a third of the range.
        Assert.InRange(steps, 0.31 * Blocks, 0.36 * Blocks);
    }

    [Fact]
    public void Large_counts_work_and_positions_outside_are_errors()
    {
        Assert.InRange(BlockOrder.BlockAt(1, 0, 123_456_789_012, 1L << 40), 0, (1L << 40) - 1);
        Assert.InRange(BlockOrder.BlockAt(1, 0, 5, 1L << 62), 0, (1L << 62) - 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockOrder.BlockAt(1, 0, 10, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockOrder.BlockAt(1, 0, -1, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockOrder.BlockAt(1, 0, 0, 0));
    }

    private static IEnumerable<long> Epoch(ulong seed, long epoch, long blocks)
    {
        for (var i = 0L; i < blocks; i++)
        {
            yield return BlockOrder.BlockAt(seed, epoch, i, blocks);
        }
    }
}
