using System.Security.Cryptography;
using ActorTrainer.He.Seal;
using Xunit;

namespace ActorTrainer.Tests.He.Seal;

public sealed unsafe class SealSeedTests : IDisposable
{
    private readonly SealContext _context = new(SealParameters.Create(1024, 30, 30), allowInsecure: true);

    public void Dispose() => _context.Dispose();

    [Fact]
    public void A_seed_of_SHAKE256_is_expanded_in_blocks_of_4096_bytes_of_seed_and_counter()
    {
        if (!Shake256.IsSupported)
        {
            return;
        }

        byte[] seed = [.. Enumerable.Range(0, SealSeed.Bytes).Select(i => (byte)i)];
        using var polynomial = _context.Ring.NewPolynomial(1);
        var modulus = _context.Ring.Chain(0).Modulus;

        new SealSeed(SealExpansion.Shake256, seed).Expand(_context.Ring, polynomial);

        var expected = Enumerable.Range(0, 2)
            .SelectMany(block => Shake256.HashData([.. seed, (byte)block, 0, 0, 0, 0, 0, 0, 0], 4096))
            .Chunk(sizeof(ulong))
            .Select(word => BitConverter.ToUInt64(word) % modulus.Value);
        Assert.Equal(expected, new ReadOnlySpan<ulong>(polynomial[0], 1024).ToArray());
    }

    [Fact]
    public void Seeds_differ_and_give_residues_below_their_primes()
    {
        using var generator = new SealKeyGenerator(_context, HeFixture.FixedSeed(1));
        using var secret = generator.NewSecretKey();
        using var first = generator.NewPublicKey(secret);
        using var second = generator.NewPublicKey(secret);

        Assert.NotEqual(first.Seed!.Span.ToArray(), second.Seed!.Span.ToArray());
        for (var i = 0; i < first.A.Limbs; i++)
        {
            var (q, residues) = (_context.Ring.Of(first.A, i).Modulus.Value, new ReadOnlySpan<ulong>(first.A[i], 1024).ToArray());
            Assert.All(residues, residue => Assert.True(residue < q));
            Assert.InRange(residues.Average(residue => residue / (double)q), 0.45, 0.55);
        }
    }
}
