using System.Buffers.Binary;
using System.Numerics;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>CRC-32C (Castagnoli).</summary>
internal static class Crc32C
{
    /// <summary>Value before the first byte.</summary>
    public const uint Start = 0xFFFFFFFF;

    /// <summary>Takes more bytes in; the final value is the complement of the last one returned.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        foreach (var value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return crc;
    }
}
