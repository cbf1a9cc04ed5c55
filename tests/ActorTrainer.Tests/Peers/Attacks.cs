using System.Buffers.Binary;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.DataPlane.Peers.Admission;

namespace ActorTrainer.Tests.Peers;

/// <summary>What a stranger may send: a first record, and a second one made from what the listener answered.</summary>
internal sealed record Attack(string Kind, byte[] First, Func<byte[], byte[]> Second);

/// <summary>A seeded source of handshakes that must all be refused.</summary>
/// <param name="random">Every choice.</param>
/// <param name="recorded">The two records of the caller of a handshake that was admitted.</param>
internal sealed class Attacks(Random random, (byte[] Greeting, byte[] Proof) recorded)
{
    private static readonly Func<byte[], byte[]> Silence = _ => [];

    // Heads of containers and texts that claim up to 4 GiB, deep nesting, negative and huge numbers.
    private static readonly byte[][] Bombs =
    [
        [0xdd, 0xff, 0xff, 0xff, 0xff], [0xdf, 0xff, 0xff, 0xff, 0xff], [0x94, 0xdb, 0xff, 0xff, 0xff, 0xff], [0x94, 0xa1, 0x61, 0xdb, 0x7f, 0xff, 0xff, 0xff],
        [0x94, 0xa1, 0x61, 0xa1, 0x62, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x94, 0xa1, 0x61, 0xa1, 0x62, 0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        [0x94, 0xa1, 0x61, 0xa1, 0x62, 0x01, 0xc6, 0xff, 0xff, 0xff, 0xff], [0x94, 0xa1, 0x61, 0xa1, 0x62, 0x01, 0xc9, 0xff, 0xff, 0xff, 0xff, 0x00],
        [0x94, 0xc0, 0xc0, 0xc0, 0xc0], [0xc1], [],
    ];

    public Attack Next() => random.Next(12) switch
    {
        0 => new("noise", Noise(random.Next(0, 1500)), _ => Noise(random.Next(0, 600))),
        1 => new("noise after a good head", [.. Records.Of(Noise(random.Next(0, PeerHandshake.MaxBody + 1)))], Silence),
        2 => new("oversized", Resized(Greeting(), random.Next(PeerHandshake.MaxBody + 1, ushort.MaxValue + 1)), Silence),
        3 => new("truncated", Cut(Greeting()), Silence),
        4 => new("wrong length", Resized(Greeting(), random.Next(0, PeerHandshake.MaxBody)), _ => Noise(40)),
        5 => new("flipped greeting", Flip(recorded.Greeting), _ => recorded.Proof),
        6 => new("bomb", Bomb(), Silence),
        7 => new("replay", recorded.Greeting, _ => recorded.Proof),
        8 => new("replay, flipped", recorded.Greeting, _ => Flip(recorded.Proof)),
        9 => new("reflection", Greeting(), answer => answer),
        10 => new("guessed proof", Greeting(), _ => Records.Of(Noise(32))),
        _ => new("another length of proof", Greeting(), _ => Records.Of(Noise(random.Next(2) == 0 ? random.Next(0, 32) : random.Next(33, 512)))),
    };

    private byte[] Noise(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private byte[] Greeting() =>
        Records.Of(new PeerGreeting("n" + random.Next(1000), "i" + random.Next(1000), (PeerPurpose)random.Next(1, 3), Noise(PeerGreeting.NonceLength)).ToBytes());

    private byte[] Cut(byte[] record) => record[..random.Next(0, record.Length)];

    private byte[] Flip(byte[] record)
    {
        var flipped = (byte[])record.Clone();
        var bit = random.Next(record.Length * 8);
        flipped[bit / 8] ^= (byte)(1 << (bit % 8));
        return flipped;
    }

    private static byte[] Resized(byte[] record, int length)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(6), (ushort)length);
        return record;
    }

    private byte[] Bomb()
    {
        var bomb = Bombs[random.Next(Bombs.Length)];
        return Records.Of([.. bomb, .. Noise(random.Next(0, PeerHandshake.MaxBody - bomb.Length))]);
    }
}
