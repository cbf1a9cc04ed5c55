using System.Buffers.Binary;
using System.Security.Cryptography;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Seal;

/// <summary>SEAL's public seed of a uniform polynomial: 64 bytes and the function that expands them, in blocks of 4096 bytes.</summary>
public sealed class SealSeed
{
    public const int Bytes = 64;

    private const int BlockBytes = 4096;

    private readonly byte[] _bytes;

    internal SealSeed(SealExpansion expansion, ReadOnlySpan<byte> bytes) => (Expansion, _bytes) = (expansion, bytes.ToArray());

    public SealExpansion Expansion { get; }

    public ReadOnlySpan<byte> Span => _bytes;

    internal static SealSeed Fresh(Randomness random)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        random.PublicSeed().Span.CopyTo(bytes);
        random.PublicSeed().Span.CopyTo(bytes[Seed.Bytes..]);
        return new SealSeed(SealExpansion.Blake2Xb, bytes);
    }

    /// <summary>
    /// The uniform polynomial of the seed in transformed form: words for all limbs first, then, limb by limb, those that would bias the remainder
    /// are drawn again.
    /// </summary>
    internal unsafe void Expand(RingContext ring, Polynomial result)
    {
        var stream = new Stream(this);
        for (var i = 0; i < result.Limbs; i++)
        {
            foreach (ref var word in new Span<ulong>(result[i], ring.Degree))
            {
                word = stream.Next();
            }
        }

        for (var i = 0; i < result.Limbs; i++)
        {
            var modulus = ring.Of(result, i).Modulus;
            var bound = ulong.MaxValue - modulus.Reduce(ulong.MaxValue) - 1;
            foreach (ref var word in new Span<ulong>(result[i], ring.Degree))
            {
                while (word >= bound)
                {
                    word = stream.Next();
                }

                word = modulus.Reduce(word);
            }
        }

        GC.KeepAlive(result);
    }

    private sealed class Stream(SealSeed seed)
    {
        private readonly byte[] _block = new byte[BlockBytes];
        private ulong _counter;
        private int _used = BlockBytes;

        public ulong Next()
        {
            if (_used == BlockBytes)
            {
                Refill();
            }

            var word = BinaryPrimitives.ReadUInt64LittleEndian(_block.AsSpan(_used));
            _used += sizeof(ulong);
            return word;
        }

        private void Refill()
        {
            Span<byte> input = stackalloc byte[Bytes + sizeof(ulong)];
            seed.Span.CopyTo(input);
            BinaryPrimitives.WriteUInt64LittleEndian(input[Bytes..], _counter++);
            if (seed.Expansion == SealExpansion.Blake2Xb)
            {
                Blake2b.Expand(input[Bytes..], seed.Span, _block);
            }
            else
            {
                Shake256.HashData(input, _block);
            }

            _used = 0;
        }
    }
}
