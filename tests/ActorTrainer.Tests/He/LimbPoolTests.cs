using ActorTrainer.He.Ring;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class LimbPoolTests
{
    /// <summary>A program goes down its levels: without reuse across sizes it would hold every size's most at once.</summary>
    [Fact]
    public void A_free_block_of_up_to_a_quarter_more_serves_a_smaller_polynomial()
    {
        using var pool = new LimbPool(1024);
        for (var limbs = 40; limbs > 32; limbs--)
        {
            new Polynomial(pool, limbs, hasSpecial: false, secret: false).Dispose();
        }

        Assert.Equal(40L * pool.StrideBytes, pool.Bytes);
        Assert.Equal(0, pool.BytesInUse);
    }

    [Fact]
    public void A_much_larger_free_block_is_left_alone()
    {
        using var pool = new LimbPool(1024);
        new Polynomial(pool, 40, hasSpecial: false, secret: false).Dispose();

        using var small = new Polynomial(pool, 31, hasSpecial: false, secret: false);

        Assert.Equal(71L * pool.StrideBytes, pool.Bytes);
        Assert.Equal(31L * pool.StrideBytes, pool.BytesInUse);
    }

    [Fact]
    public void No_more_is_kept_free_than_plans_of_memory_count()
    {
        using var pool = new LimbPool(1 << 16);
        Polynomial[] polynomials = [.. Enumerable.Range(0, 40).Select(_ => new Polynomial(pool, 20, hasSpecial: false, secret: false))];
        Assert.True(pool.BytesInUse > LimbPool.Kept(0));

        Assert.All(polynomials, polynomial =>
        {
            polynomial.Dispose();
            Assert.InRange(pool.Bytes - pool.BytesInUse, 0, LimbPool.Kept(pool.BytesInUse) + (20L * pool.StrideBytes));
        });

        Assert.InRange(pool.Bytes, LimbPool.Kept(0) / 2, LimbPool.Kept(0) + (20L * pool.StrideBytes));
    }

    [Fact]
    public unsafe void The_rest_of_a_larger_block_is_overwritten_with_a_secret()
    {
        using var pool = new LimbPool(1024);
        new Polynomial(pool, 5, hasSpecial: false, secret: false).Dispose();
        var secret = new Polynomial(pool, 4, hasSpecial: false, secret: true);
        var words = (nint)secret[0];
        new Span<byte>((void*)words, 4 * pool.StrideBytes).Fill(7);

        secret.Dispose();

        Assert.Equal(0, pool.BytesInUse);
        Assert.Equal(5L * pool.StrideBytes, pool.Bytes);
        Assert.False(new Span<byte>((void*)words, 5 * pool.StrideBytes).ContainsAnyExcept((byte)0));
    }
}
