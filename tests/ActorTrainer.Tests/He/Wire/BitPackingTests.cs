using System.Numerics;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Wire;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed unsafe class BitPackingTests
{
    public static TheoryData<int> Sizes() => [.. Enumerable.Range(20, 41)];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Packed_residues_are_the_digits_of_one_large_number_and_come_back(int bits)
    {
        const int Count = 64;
        var (random, prime) = (new Random(bits), Primes.Below(bits, 1 << 17).First());
        ulong[] residues = [0, prime - 1, 1, .. Enumerable.Range(3, Count - 3).Select(_ => (ulong)random.NextInt64((long)prime))];
        int[] places = [.. Enumerable.Range(0, Count).OrderBy(_ => random.Next())];
        var (packed, back) = (new byte[(Count * bits / 8) + 8], new ulong[Count]);

        fixed (ulong* words = residues, restored = back)
        fixed (byte* bytes = packed)
        fixed (int* map = places)
        {
            BitPacking.Pack(bytes, words, map, Count, bits);
            Assert.True(BitPacking.Unpack(restored, bytes, map, Count, bits, prime));
        }

        var whole = Enumerable.Range(0, Count).Aggregate(BigInteger.Zero, (sum, k) => sum + ((BigInteger)residues[places[k]] << (k * bits)));
        Assert.Equal(whole, new BigInteger(packed.AsSpan(0, Count * bits / 8), isUnsigned: true));
        Assert.Equal(residues, back);
        Assert.Equal(bits, BitPacking.Bits(new Modulus(prime)));
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_residue_that_is_not_below_its_prime_is_found_wherever_it_is(int bits)
    {
        const int Count = 32;
        var prime = Primes.Below(bits, 1 << 17).First();
        int[] places = [.. Enumerable.Range(0, Count)];
        var (packed, residues) = (new byte[(Count * bits / 8) + 8], new ulong[Count]);
        fixed (ulong* words = residues)
        fixed (byte* bytes = packed)
        fixed (int* map = places)
        {
            for (var at = 0; at < Count; at++)
            {
                foreach (var value in new[] { prime, (1UL << bits) - 1 })
                {
                    Array.Fill(residues, prime - 1);
                    residues[at] = value;
                    BitPacking.Pack(bytes, words, map, Count, bits);
                    Assert.False(BitPacking.Unpack(words, bytes, map, Count, bits, prime));
                }
            }
        }
    }

    [Fact]
    public void Residues_pass_through_either_kind_of_kernels_unchanged()
    {
        foreach (var q in new[] { Primes.Below(20, 1 << 17).First(), Primes.Below(41, 1 << 17).First(), Primes.Below(49, 1 << 17).First() })
        {
            foreach (var kernels in new[] { LimbKernels.Create(new Modulus(q), 5), LimbKernels.Create(new Modulus(q), 5, KernelChoice.Integer) })
            {
                ulong[] residues = [0, 1, q - 1, q / 2, (q / 2) + 1, .. Enumerable.Range(5, 27).Select(i => q / 32 * (ulong)i)];
                using var limb = new NativeLimb(kernels, residues);
                Assert.Equal(residues, limb.Residues);
                (kernels as IDisposable)?.Dispose();
            }
        }
    }

    [Fact]
    public void The_checksum_is_that_of_Castagnoli_however_the_bytes_come()
    {
        var bytes = new byte[1000];
        new Random(1).NextBytes(bytes);
        var (check, whole, pieces) = (new Checksum(), new Checksum(), new Checksum());
        check.Append("123456789"u8);
        whole.Append(bytes);
        foreach (var piece in bytes.Chunk(13))
        {
            pieces.Append(piece);
        }

        Assert.Equal(0xE3069283, check.Value);
        Assert.Equal(WireConformance.Crc32C(bytes), whole.Value);
        Assert.Equal(whole.Value, pieces.Value);
    }
}
