using System.Buffers;
using System.Text;
using MessagePack;

namespace ActorTrainer.Actors.DataPlane.Peers.Admission;

/// <summary>How a node introduces itself: a MessagePack array of name, incarnation, purpose and nonce.</summary>
/// <param name="Node">Name of the node.</param>
/// <param name="Incarnation">Its process.</param>
/// <param name="Purpose">What the connection is for.</param>
/// <param name="Nonce"><see cref="NonceLength"/> random bytes, new for each connection.</param>
internal sealed record PeerGreeting(string Node, string Incarnation, PeerPurpose Purpose, byte[] Nonce)
{
    /// <summary>Bytes of a nonce.</summary>
    public const int NonceLength = 32;

    /// <summary>Most bytes of a node name.</summary>
    public const int MaxName = 128;

    /// <summary>Most bytes of an incarnation.</summary>
    public const int MaxIncarnation = 64;

    private const int Fields = 4;

    // Names come into logs and reports: nothing that could pass for something else there.
    private static readonly SearchValues<byte> NameBytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:[]@"u8);

    /// <summary>Why a text is no node name, or null when it is one.</summary>
    public static string? ComplainAbout(string name, int limit = MaxName)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        return bytes.Length >= 1 && bytes.Length <= limit && !bytes.AsSpan().ContainsAnyExcept(NameBytes)
            ? null
            : $"expected 1 to {limit} letters, digits or . - _ : [ ] @, found '{name}'";
    }

    /// <summary>As it travels.</summary>
    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(Fields);
        writer.Write(Node);
        writer.Write(Incarnation);
        writer.Write((byte)Purpose);
        writer.Write(Nonce);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a greeting; lengths are checked before anything is allocated for them.</summary>
    /// <exception cref="NotAdmittedException">It is not well formed.</exception>
    public static PeerGreeting Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var reader = new MessagePackReader(bytes);
            if (reader.ReadArrayHeader() != Fields)
            {
                throw Malformed("another number of fields");
            }

            var node = ReadName(ref reader, MaxName, "node name");
            var incarnation = ReadName(ref reader, MaxIncarnation, "incarnation");
            var purpose = (PeerPurpose)reader.ReadByte();
            if (reader.ReadBytes() is not { Length: NonceLength } nonce)
            {
                throw Malformed("nonce");
            }

            return reader.End ? new PeerGreeting(node, incarnation, purpose, nonce.ToArray()) : throw Malformed("bytes after its end");
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException or OverflowException or ArgumentOutOfRangeException)
        {
            // The last: the reader does not check a length of bytes itself, only the buffer does.
            throw Malformed("its encoding");
        }
    }

    private static string ReadName(ref MessagePackReader reader, int limit, string field) =>
        reader.TryReadStringSpan(out var span) && span.Length >= 1 && span.Length <= limit && !span.ContainsAnyExcept(NameBytes)
            ? Encoding.UTF8.GetString(span)
            : throw Malformed(field);

    private static NotAdmittedException Malformed(string what) => new(PeerAnswer.Malformed, $"its greeting is malformed: {what}.");
}
