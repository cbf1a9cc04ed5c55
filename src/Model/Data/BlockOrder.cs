using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Data;

/// <summary>
/// The order of blocks in an epoch as a random-access permutation: nothing is stored or shuffled, so any position can be asked for
/// at any time and on any machine. A Feistel network (Luby and Rackoff, 1988) permutes the smallest domain of 2^(2h) that holds all
/// blocks; results outside are fed in again until one falls inside ("cycle walking", Black and Rogaway, 2002).
/// </summary>
public static class BlockOrder
{
    private const int Rounds = 8;

    /// <summary>The block at position <paramref name="index"/> of an epoch; for fixed seed and epoch a bijection of [0, blockCount).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is not in [0, blockCount).</exception>
    public static long BlockAt(ulong seed, long epoch, long index, long blockCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, blockCount);
        var bits = 1;
        while (bits < 31 && 1L << (2 * bits) < blockCount)
        {
            bits++;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockCount, 1L << 62);
        var key = CounterRandom.Key(seed, RandomPurpose.BlockOrder, epoch, blockCount);
        var value = (ulong)index;
        do
        {
            value = Permute(value, key, bits);
        }
        while (value >= (ulong)blockCount);
        return (long)value;
    }

    private static ulong Permute(ulong value, ulong key, int bits)
    {
        var mask = (1UL << bits) - 1;
        var (left, right) = (value >> bits, value & mask);
        for (var round = 0; round < Rounds; round++)
        {
            (left, right) = (right, left ^ (CounterRandom.Key(key, RandomPurpose.BlockOrder, round, (long)right) & mask));
        }

        return (left << bits) | right;
    }
}
