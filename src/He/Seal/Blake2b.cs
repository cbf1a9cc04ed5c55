using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace ActorTrainer.He.Seal;

/// <summary>
/// BLAKE2b (RFC 7693) and its extendable form BLAKE2Xb (Aumasson and others, "BLAKE2X", 2016), which SEAL uses for the names of parameters
/// and to expand seeds. Of public data only.
/// </summary>
internal static class Blake2b
{
    public const int MaxBytes = 64;

    private const int BlockBytes = 128;
    private const int Rounds = 12;

    private static readonly Vector256<ulong> Low = Vector256.Create(0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1);
    private static readonly Vector256<ulong> High = Vector256.Create(0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179);

    /// <summary>Which words of the message each of ten rounds takes.</summary>
    private static ReadOnlySpan<byte> Order =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
        11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4,
        7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8,
        9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13,
        2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9,
        12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11,
        13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10,
        6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5,
        10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0,
    ];

    /// <param name="key">At most 64 bytes; empty for a hash without a key.</param>
    /// <param name="digest">Where the hash goes: 1 to 64 bytes, which is the length asked for.</param>
    public static void Hash(ReadOnlySpan<byte> data, ReadOnlySpan<byte> key, Span<byte> digest) => Node(data, key, digest, Sequential(key.Length, digest.Length), 0, 0);

    /// <summary>BLAKE2Xb of a known length: a root hash, from which every 64 bytes of output are hashed by themselves.</summary>
    /// <param name="output">Where the bytes go; their number is part of what is hashed.</param>
    public static void Expand(ReadOnlySpan<byte> data, ReadOnlySpan<byte> key, Span<byte> output)
    {
        Span<byte> root = stackalloc byte[MaxBytes];
        var length = (ulong)output.Length << 32;
        Node(data, key, root, Sequential(key.Length, MaxBytes), length, 0);
        for (var at = 0; at < output.Length; at += MaxBytes)
        {
            var leaf = output.Slice(at, Math.Min(MaxBytes, output.Length - at));
            // No key, fanout or depth; leaf length 64; the place in the lower half of the next word; inner length 64.
            Node(root, [], leaf, (uint)leaf.Length | ((ulong)MaxBytes << 32), length | (uint)at / MaxBytes, MaxBytes << 8);
        }
    }

    private static ulong Sequential(int keyBytes, int digestBytes) => (uint)digestBytes | ((ulong)keyBytes << 8) | (1UL << 16) | (1UL << 24);

    /// <summary>One hash under the first three words of the parameter block; the other words, salt and personalisation, are zero.</summary>
    private static void Node(ReadOnlySpan<byte> data, ReadOnlySpan<byte> key, Span<byte> digest, ulong word0, ulong word1, ulong word2)
    {
        var (a, b) = (Low ^ Vector256.Create(word0, word1, word2, 0), High);
        Span<byte> block = stackalloc byte[BlockBytes];
        ulong hashed = 0;
        if (key.Length > 0)
        {
            block.Clear();
            key.CopyTo(block);
            hashed = BlockBytes;
            Compress(ref a, ref b, block, hashed, last: data.IsEmpty);
        }

        while (data.Length > BlockBytes)
        {
            hashed += BlockBytes;
            Compress(ref a, ref b, data[..BlockBytes], hashed, last: false);
            data = data[BlockBytes..];
        }

        if (data.Length > 0 || key.IsEmpty)
        {
            block.Clear();
            data.CopyTo(block);
            Compress(ref a, ref b, block, hashed + (ulong)data.Length, last: true);
        }

        Span<byte> state = stackalloc byte[MaxBytes];
        for (var i = 0; i < 4; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(state[(8 * i)..], a[i]);
            BinaryPrimitives.WriteUInt64LittleEndian(state[(32 + (8 * i))..], b[i]);
        }

        state[..digest.Length].CopyTo(digest);
    }

    private static void Compress(ref Vector256<ulong> low, ref Vector256<ulong> high, ReadOnlySpan<byte> block, ulong hashed, bool last)
    {
        Span<ulong> m = stackalloc ulong[16];
        for (var i = 0; i < m.Length; i++)
        {
            m[i] = BinaryPrimitives.ReadUInt64LittleEndian(block[(8 * i)..]);
        }

        var (a, b, c, d) = (low, high, Low, High ^ Vector256.Create(hashed, 0, last ? ulong.MaxValue : 0, 0));
        for (var round = 0; round < Rounds; round++)
        {
            var s = Order.Slice(16 * (round % 10), 16);
            Mix(ref a, ref b, ref c, ref d, Vector256.Create(m[s[0]], m[s[2]], m[s[4]], m[s[6]]), Vector256.Create(m[s[1]], m[s[3]], m[s[5]], m[s[7]]));
            // Rows turn so that diagonals become columns, and back.
            (b, c, d) = (Turn(b, 1), Turn(c, 2), Turn(d, 3));
            Mix(ref a, ref b, ref c, ref d, Vector256.Create(m[s[8]], m[s[10]], m[s[12]], m[s[14]]), Vector256.Create(m[s[9]], m[s[11]], m[s[13]], m[s[15]]));
            (b, c, d) = (Turn(b, 3), Turn(c, 2), Turn(d, 1));
        }

        (low, high) = (low ^ a ^ c, high ^ b ^ d);
    }

    private static void Mix(ref Vector256<ulong> a, ref Vector256<ulong> b, ref Vector256<ulong> c, ref Vector256<ulong> d, Vector256<ulong> x, Vector256<ulong> y)
    {
        a += b + x;
        d = Rotate(d ^ a, 32);
        c += d;
        b = Rotate(b ^ c, 24);
        a += b + y;
        d = Rotate(d ^ a, 16);
        c += d;
        b = Rotate(b ^ c, 63);
    }

    private static Vector256<ulong> Rotate(Vector256<ulong> x, int bits) => (x >> bits) | (x << (64 - bits));

    private static Vector256<ulong> Turn(Vector256<ulong> x, ulong places) => places switch
    {
        1 => Vector256.Shuffle(x, Vector256.Create(1UL, 2, 3, 0)),
        2 => Vector256.Shuffle(x, Vector256.Create(2UL, 3, 0, 1)),
        _ => Vector256.Shuffle(x, Vector256.Create(3UL, 0, 1, 2)),
    };
}
