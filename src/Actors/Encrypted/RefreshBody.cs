using System.Security.Cryptography;
using ActorTrainer.Actors.DataPlane.Tcp;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>The bytes that a header announced, and not one more; a hash may listen.</summary>
internal sealed class RefreshBody(Stream stream, long bytes, IncrementalHash? hash = null) : OneWayStream
{
    private const int Piece = 64 << 10;

    public override bool CanRead => true;

    /// <summary>Bytes that were not read.</summary>
    public long Remaining { get; private set; } = bytes;

    public override int Read(Span<byte> buffer)
    {
        var read = stream.Read(buffer[..(int)Math.Min(buffer.Length, Remaining)]);
        Remaining -= read;
        hash?.AppendData(buffer[..read]);
        return read;
    }

    /// <summary>Reads what is left to nowhere.</summary>
    /// <exception cref="InvalidDataException">The connection ends before.</exception>
    public void Skip()
    {
        var nowhere = new byte[(int)Math.Min(Piece, Remaining)];
        while (Remaining > 0)
        {
            if (Read(nowhere) == 0)
            {
                throw new InvalidDataException($"{Remaining} announced bytes did not come");
            }
        }
    }
}
