using System.Buffers;
using System.Buffers.Binary;
using MessagePack;

namespace ActorTrainer.Actors.DataPlane.Peers;

/// <summary>
/// Headers between admitted nodes: at most <see cref="MaxLength"/> bytes, each behind its length (4 bytes, little-endian), as MessagePack arrays of fixed
/// members. What a header announces follows raw.
/// </summary>
public static class PeerHeaders
{
    /// <summary>Longest header in bytes.</summary>
    public const int MaxLength = 1024;

    /// <summary>Longest text in characters, each of up to three bytes.</summary>
    private const int MaxText = 300;

    private static readonly MessagePackSerializerOptions Options = MessagePackSerializerOptions.Standard.WithSecurity(MessagePackSecurity.UntrustedData);

    /// <summary>A reason as it fits into a header.</summary>
    public static string Reason(string why) => why.Length <= MaxText ? why : $"{why[..MaxText]}…";

    /// <summary>A header behind its length.</summary>
    /// <exception cref="ArgumentException">It is too long.</exception>
    public static byte[] ToBytes<T>(T header)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        BinaryPrimitives.WriteInt32LittleEndian(buffer.GetSpan(sizeof(int)), 0);
        buffer.Advance(sizeof(int));
        MessagePackSerializer.Serialize(buffer, header, Options);
        var bytes = buffer.WrittenMemory.ToArray();
        var length = bytes.Length - sizeof(int);
        if (length > MaxLength)
        {
            throw new ArgumentException($"A header of {length} bytes; at most {MaxLength} can be sent.", nameof(header));
        }

        BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        return bytes;
    }

    /// <summary>Writes a header.</summary>
    /// <exception cref="ArgumentException">It is too long.</exception>
    public static void Write<T>(Stream stream, T header)
    {
        stream.Write(ToBytes(header));
        stream.Flush();
    }

    /// <summary>Reads a header.</summary>
    /// <returns>Null: the other side has closed the connection between two headers.</returns>
    /// <exception cref="InvalidDataException">The header is too long, cut off or garbage.</exception>
    public static T? Read<T>(Stream stream)
        where T : class
    {
        Span<byte> prefix = stackalloc byte[sizeof(int)];
        var got = stream.ReadAtLeast(prefix, sizeof(int), throwOnEndOfStream: false);
        if (got == 0)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(prefix);
        if (got < sizeof(int) || length is < 1 or > MaxLength)
        {
            throw new InvalidDataException($"a header of {length} bytes, expected were 1 to {MaxLength}");
        }

        var bytes = new byte[length];
        if (stream.ReadAtLeast(bytes, length, throwOnEndOfStream: false) < length)
        {
            throw new InvalidDataException("a header is cut off");
        }

        try
        {
            var reader = new MessagePackReader(bytes);
            var header = MessagePackSerializer.Deserialize<T>(ref reader, Options);
            return header is not null && reader.End ? header : throw new InvalidDataException("a header has no or more than its members");
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException or OverflowException)
        {
            throw new InvalidDataException("a header is garbage", e);
        }
    }
}
