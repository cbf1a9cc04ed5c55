using System.Buffers.Binary;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Wire;

/// <summary>Where bytes are read from, a span or a stream, with the checksum of what was read. A stream may give fewer bytes than it is asked for.</summary>
internal ref struct WireSource
{
    private readonly Stream? _stream;
    private ReadOnlySpan<byte> _rest;
    private Checksum _checksum = new();

    public WireSource(Stream stream) => _stream = stream;

    public WireSource(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>Bytes left, where that is known.</summary>
    public readonly long? Remaining => _stream is null ? _rest.Length : null;

    /// <exception cref="WireFormatException">The bytes end before the target is full.</exception>
    public void Read(scoped Span<byte> target)
    {
        Fill(target);
        _checksum.Append(target);
    }

    public int ReadInt32()
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        Read(bytes);
        return BinaryPrimitives.ReadInt32LittleEndian(bytes);
    }

    public double ReadDouble()
    {
        Span<byte> bytes = stackalloc byte[sizeof(double)];
        Read(bytes);
        return BinaryPrimitives.ReadDoubleLittleEndian(bytes);
    }

    public Seed ReadSeed()
    {
        Span<byte> bytes = stackalloc byte[Seed.Bytes];
        Read(bytes);
        return new Seed(bytes);
    }

    /// <summary>The checksum that ends an object.</summary>
    /// <exception cref="WireFormatException">It is not that of the bytes before it.</exception>
    public void End()
    {
        Span<byte> bytes = stackalloc byte[WireSize.Checksum];
        Fill(bytes);
        var found = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (found != _checksum.Value)
        {
            throw new WireFormatException($"the checksum {_checksum.Value:x8}", $"{found:x8}", $"The bytes were damaged on the way. {WireFormatException.Resend}");
        }
    }

    private void Fill(scoped Span<byte> target)
    {
        var got = _stream?.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) ?? Math.Min(target.Length, _rest.Length);
        if (got < target.Length)
        {
            throw new WireFormatException($"{target.Length} more bytes", $"the end after {got}", $"The object was cut off. {WireFormatException.Resend}");
        }

        if (_stream is null)
        {
            _rest[..got].CopyTo(target);
            _rest = _rest[got..];
        }
    }
}
