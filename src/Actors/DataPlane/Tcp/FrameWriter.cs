using System.Buffers;
using System.Buffers.Binary;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>
/// Writes frames to a connection. To the payload it is a stream that counts and sums: small writes go out together with the header, large
/// ones straight from where they are, in pieces that are still in the cache when the kernel copies them. For one thread.
/// </summary>
internal sealed class FrameWriter(Stream stream) : OneWayStream
{
    private const int Piece = 256 * 1024;

    private readonly byte[] _buffer = new byte[8 * 1024];
    private readonly ArrayBufferWriter<byte> _header = new(256);
    private int _buffered;
    private uint _crc;
    private long _expected;
    private long _written;

    /// <summary>Bytes given to the connection so far, for other threads to see that something moves.</summary>
    public long Written => Interlocked.Read(ref _written);

    public override bool CanWrite => true;

    /// <summary>Writes a frame and its payload, if any.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    /// <exception cref="InvalidOperationException">The payload wrote more or fewer bytes than it said.</exception>
    public void WriteFrame(in FrameHeader header, IPayload? payload = null)
    {
        _header.ResetWrittenCount();
        header.Encode(_header);
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(four, _header.WrittenCount);
        _crc = Crc32C.Start;
        _expected = four.Length + _header.WrittenCount + header.Length;
        Write(four);
        Write(_header.WrittenSpan);
        payload?.Write(this);
        if (_expected != 0)
        {
            throw new InvalidOperationException($"A payload of {header.Length} bytes wrote {_expected} too few.");
        }

        BinaryPrimitives.WriteUInt32LittleEndian(four, ~_crc);
        _expected = four.Length;
        Write(four);
        Forward();
    }

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        _expected -= bytes.Length;
        if (_expected < 0)
        {
            throw new InvalidOperationException($"A payload wrote {-_expected} bytes more than it said.");
        }

        if (bytes.Length <= _buffer.Length - _buffered)
        {
            bytes.CopyTo(_buffer.AsSpan(_buffered));
            _buffered += bytes.Length;
            _crc = Crc32C.Append(_crc, bytes);
            return;
        }

        Forward();
        while (!bytes.IsEmpty)
        {
            var piece = bytes[..Math.Min(Piece, bytes.Length)];
            _crc = Crc32C.Append(_crc, piece);
            Forward(piece);
            bytes = bytes[piece.Length..];
        }
    }

    private void Forward()
    {
        Forward(_buffer.AsSpan(0, _buffered));
        _buffered = 0;
    }

    private void Forward(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        try
        {
            stream.Write(bytes);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException("The connection was closed.", e);
        }

        Interlocked.Add(ref _written, bytes.Length);
    }
}
