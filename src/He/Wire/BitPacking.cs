using System.Numerics;
using System.Runtime.CompilerServices;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Wire;

/// <summary>Residues as runs of ⌈log₂ q⌉ bits, lowest bit first, without gaps.</summary>
internal static unsafe class BitPacking
{
    /// <summary>Bits of the largest residue.</summary>
    public static int Bits(Modulus modulus) => 64 - BitOperations.LeadingZeroCount(modulus.Value - 1);

    /// <param name="result">count·bits/8 bytes, and up to 7 more that are overwritten.</param>
    /// <param name="residues">Below 2^bits; the k-th to be written is at places[k].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(byte* result, ulong* residues, int* places, int count, int bits)
    {
        ulong word = 0;
        var filled = 0;
        for (var k = 0; k < count; k++)
        {
            var residue = residues[places[k]];
            word |= residue << filled;
            filled += bits;
            if (filled >= 64)
            {
                Write(result, word);
                result += sizeof(ulong);
                filled -= 64;
                // What did not fit, which is less than the whole residue.
                word = residue >> (bits - filled);
            }
        }

        if (filled > 0)
        {
            Write(result, word);
        }
    }

    /// <summary>The residues back to their places.</summary>
    /// <param name="packed">Up to 8 bytes after the packed ones are read and ignored.</param>
    /// <returns>Whether all are below the prime; if not, the result is of no use.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Unpack(ulong* residues, byte* packed, int* places, int count, int bits, ulong prime)
    {
        var mask = ulong.MaxValue >> (64 - bits);
        ulong above = 0;
        long at = 0;
        for (var k = 0; k < count; k++, at += bits)
        {
            var source = packed + (at >> 3);
            var shift = (int)at & 7;
            // A residue of 58 bits or more may reach into a ninth byte. Shifting twice makes the shift by 64 that one cannot have.
            var residue = ((Read(source) >> shift) | ((ulong)source[sizeof(ulong)] << 1 << (63 - shift))) & mask;
            above |= prime - 1 - residue;
            residues[places[k]] = residue;
        }

        // Residues have at most 61 bits, so the sign bit says that one was above.
        return above >> 63 == 0;
    }

    private static ulong Read(byte* source)
    {
        var word = Unsafe.ReadUnaligned<ulong>(source);
        return BitConverter.IsLittleEndian ? word : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word);
    }

    private static void Write(byte* target, ulong word) =>
        Unsafe.WriteUnaligned(target, BitConverter.IsLittleEndian ? word : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word));
}
