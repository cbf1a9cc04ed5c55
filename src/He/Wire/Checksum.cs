using System.Numerics;
using System.Runtime.InteropServices;

namespace ActorTrainer.He.Wire;

/// <summary>CRC-32C (Castagnoli) over pieces in a row. It finds faults of memory and links; whoever changes bytes on purpose can change it too.</summary>
internal struct Checksum()
{
    private uint _state = uint.MaxValue;

    public readonly uint Value => ~_state;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var state = _state;
        var whole = bytes.Length & ~7;
        if (BitConverter.IsLittleEndian)
        {
            foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes[..whole]))
            {
                state = BitOperations.Crc32C(state, word);
            }

            bytes = bytes[whole..];
        }

        foreach (var value in bytes)
        {
            state = BitOperations.Crc32C(state, value);
        }

        _state = state;
    }
}
