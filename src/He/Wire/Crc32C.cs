using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace ActorTrainer.He.Wire;

/// <summary>
/// CRC-32C (Castagnoli). The processor's instruction takes three cycles but starts one in each, so long input is summed in three lanes, which
/// are put together by what the sum is linear in: the state after a lane is that of the lane alone plus the earlier state moved on by its length.
/// It finds faults of memory and links; whoever changes bytes on purpose can change it too.
/// </summary>
public static class Crc32C
{
    /// <summary>Value before the first byte.</summary>
    public const uint Start = 0xFFFFFFFF;

    /// <summary>Bytes of a lane.</summary>
    private const int Lane = 4096;

    /// <summary>For each byte of a state: that byte moved on by the length of a lane.</summary>
    private static readonly uint[][] Shifts = [.. Enumerable.Range(0, 4).Select(position =>
        Enumerable.Range(0, 256).Select(value => MoveOn((uint)value << (8 * position))).ToArray())];

    /// <summary>Takes more bytes in; the final value is the complement of the last one returned.</summary>
    /// <param name="crc"><see cref="Start"/>, or what was returned before.</param>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 3 * Lane; bytes = bytes[(3 * Lane)..])
        {
            var words = MemoryMarshal.Cast<byte, ulong>(bytes[..(3 * Lane)]);
            var one = words[..(Lane / 8)];
            var two = words[(Lane / 8)..(Lane / 4)];
            var three = words[(Lane / 4)..];
            var (b, c) = (0u, 0u);
            for (var i = 0; i < one.Length; i++)
            {
                crc = BitOperations.Crc32C(crc, one[i]);
                b = BitOperations.Crc32C(b, two[i]);
                c = BitOperations.Crc32C(c, three[i]);
            }

            crc = Shift(Shift(crc) ^ b) ^ c;
        }

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

    private static uint Shift(uint crc) =>
        Shifts[0][(byte)crc] ^ Shifts[1][(byte)(crc >> 8)] ^ Shifts[2][(byte)(crc >> 16)] ^ Shifts[3][crc >> 24];

    private static uint MoveOn(uint crc)
    {
        for (var i = 0; i < Lane; i += 8)
        {
            crc = BitOperations.Crc32C(crc, 0UL);
        }

        return crc;
    }
}
