using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ActorTrainer.Model.Data;

/// <summary>
/// Which documents are held out: those whose hash falls below a share of its range. It depends on the content alone, so adding
/// documents moves none from one side to the other, and copies of a document are on the same side.
/// </summary>
internal sealed class HeldOutRule(double fraction)
{
    private readonly ulong _limit = (ulong)(fraction * ulong.MaxValue);

    public bool Holds(string text) => Holds(MemoryMarshal.AsBytes(text.AsSpan()));

    public bool Holds(int[] ids) => Holds(MemoryMarshal.AsBytes(ids.AsSpan()));

    private bool Holds(ReadOnlySpan<byte> content)
    {
        if (_limit == 0)
        {
            return false;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash) < _limit;
    }
}
