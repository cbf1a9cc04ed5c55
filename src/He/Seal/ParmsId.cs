using System.Buffers.Binary;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>SEAL's name of a parameter set and level: BLAKE2b of 256 bits over scheme, degree, the primes that are left, and a zero for the plain modulus.</summary>
public readonly record struct ParmsId(ulong Word0, ulong Word1, ulong Word2, ulong Word3)
{
    internal const int Bytes = 32;
    internal const byte Ckks = 2;

    internal static ParmsId Of(int degree, ReadOnlySpan<Modulus> primes)
    {
        Span<byte> words = stackalloc byte[sizeof(ulong) * (primes.Length + 3)];
        words.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(words, Ckks);
        BinaryPrimitives.WriteUInt64LittleEndian(words[8..], (ulong)degree);
        for (var i = 0; i < primes.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(words[(8 * (i + 2))..], primes[i].Value);
        }

        Span<byte> hash = stackalloc byte[Bytes];
        Blake2b.Hash(words, [], hash);
        return From(hash);
    }

    internal static ParmsId From(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]));

    internal void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Word0);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Word1);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], Word2);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], Word3);
    }
}
