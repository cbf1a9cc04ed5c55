using System.Buffers.Binary;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>
/// Reads frames from a connection. To a payload reader it is a stream that ends where the frame's payload ends; large reads go straight to
/// where they are wanted. For one thread.
/// </summary>
internal sealed class FrameReader(Stream stream) : OneWayStream
{
    private const int Piece = 256 * 1024;

    private readonly byte[] _buffer = new byte[4 * 1024];
    private int _start;
    private int _end;
    private uint _crc;

    /// <summary>Bytes of the payload that have not been read.</summary>
    public long Remaining { get; private set; }

    public override bool CanRead => true;

    /// <summary>Reads the next header; false when the connection ends before it.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a header.</exception>
    /// <exception cref="EndOfStreamException">The connection ends inside the header.</exception>
    /// <exception cref="IOException">The connection is broken.</exception>
    public bool Next(out FrameHeader header)
    {
        header = default;
        _crc = Crc32C.Start;
        if (_start == _end && !Fill())
        {
            return false;
        }

        var size = BinaryPrimitives.ReadUInt32LittleEndian(Take(4).Span);
        if (size is 0 or > FrameHeader.MaximumSize)
        {
            throw new InvalidDataException($"A frame's header of {size} bytes; at most {FrameHeader.MaximumSize} are allowed.");
        }

        header = FrameHeader.Decode(Take((int)size));
        Remaining = header.Length;
        return true;
    }

    /// <summary>Reads the end of the frame.</summary>
    /// <exception cref="InvalidDataException">The payload is longer than its reader took it to be, or the checksum is wrong.</exception>
    public void Finish()
    {
        if (Remaining != 0)
        {
            throw new InvalidDataException($"A frame has {Remaining} bytes more than its payload.");
        }

        var actual = ~_crc;
        if (BinaryPrimitives.ReadUInt32LittleEndian(Take(4).Span) is var announced && announced != actual)
        {
            throw new InvalidDataException($"A frame's checksum is {actual:x8}, announced was {announced:x8}.");
        }
    }

    /// <summary>Reads and forgets the rest of the payload.</summary>
    public void Skip()
    {
        while (Remaining > 0)
        {
            if (_start == _end && !Fill())
            {
                throw new EndOfStreamException("The connection ends inside a payload.");
            }

            var count = (int)Math.Min(_end - _start, Remaining);
            _crc = Crc32C.Append(_crc, _buffer.AsSpan(_start, count));
            _start += count;
            Remaining -= count;
        }
    }

    /// <summary>Reads from the payload; 0 at its end.</summary>
    /// <exception cref="EndOfStreamException">The connection ends inside the payload.</exception>
    public override int Read(Span<byte> bytes)
    {
        bytes = bytes[..(int)Math.Min(Math.Min(bytes.Length, Piece), Remaining)];
        if (bytes.IsEmpty)
        {
            return 0;
        }

        int count;
        if (_start == _end && bytes.Length >= _buffer.Length)
        {
            count = Receive(bytes);
        }
        else
        {
            count = _start < _end || Fill() ? Math.Min(bytes.Length, _end - _start) : 0;
            _buffer.AsSpan(_start, count).CopyTo(bytes);
            _start += count;
        }

        if (count == 0)
        {
            throw new EndOfStreamException("The connection ends inside a payload.");
        }

        _crc = Crc32C.Append(_crc, bytes[..count]);
        Remaining -= count;
        return count;
    }

    /// <summary>The next few bytes, in the buffer.</summary>
    private ReadOnlyMemory<byte> Take(int count)
    {
        if (_buffer.Length - _start < count)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        while (_end - _start < count)
        {
            if (Receive(_buffer.AsSpan(_end)) is var received && received == 0)
            {
                throw new EndOfStreamException("The connection ends inside a frame.");
            }

            _end += received;
        }

        var bytes = _buffer.AsMemory(_start, count);
        _start += count;
        _crc = Crc32C.Append(_crc, bytes.Span);
        return bytes;
    }

    private bool Fill()
    {
        (_start, _end) = (0, Receive(_buffer));
        return _end > 0;
    }

    private int Receive(Span<byte> bytes)
    {
        try
        {
            return stream.Read(bytes);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException("The connection was closed.", e);
        }
    }
}
