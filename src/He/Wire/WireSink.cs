using System.Buffers.Binary;

namespace ActorTrainer.He.Wire;

/// <summary>Where bytes are written to, a span or a stream, with the checksum of what was written.</summary>
internal ref struct WireSink
{
    private readonly Stream? _stream;
    private Span<byte> _rest;
    private Checksum _checksum = new();

    public WireSink(Stream stream) => _stream = stream;

    public WireSink(Span<byte> target) => _rest = target;

    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        _checksum.Append(bytes);
        Put(bytes);
    }

    public void Write(int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        Write(bytes);
    }

    public void Write(double value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        Write(bytes);
    }

    /// <summary>The checksum that ends an object.</summary>
    public void End()
    {
        Span<byte> bytes = stackalloc byte[WireSize.Checksum];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, _checksum.Value);
        Put(bytes);
    }

    private void Put(scoped ReadOnlySpan<byte> bytes)
    {
        if (_stream is not null)
        {
            _stream.Write(bytes);
        }
        else
        {
            bytes.CopyTo(_rest);
            _rest = _rest[bytes.Length..];
        }
    }
}
