using System.Buffers;
using ActorTrainer.Actors.Protocol;
using MessagePack;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>What a frame is.</summary>
internal enum FrameKind : byte
{
    /// <summary>Sender: begins or resumes a session; the first frame of a connection.</summary>
    Open = 1,

    /// <summary>Sender: a payload follows.</summary>
    Payload = 2,

    /// <summary>Sender: answer with an <see cref="Ack"/>.</summary>
    Ping = 3,

    /// <summary>Sender: the session is over.</summary>
    Bye = 4,

    /// <summary>Receiver: answer to <see cref="Open"/>.</summary>
    Welcome = 5,

    /// <summary>Receiver: has everything up to a sequence number, and grants credit.</summary>
    Ack = 6,
}

/// <summary>
/// Header of a frame. On the wire: length of the header (4 bytes, little-endian), the header as a MessagePack array whose first element is the
/// kind, the payload, and the CRC-32C of all that (4 bytes, little-endian).
/// </summary>
/// <param name="Kind">What follows.</param>
/// <param name="Session">Random id of the session: one link of one attempt.</param>
/// <param name="Sequence">Payload: its number, from 1. Welcome, Ack: highest number that the receiver has. Else 0.</param>
/// <param name="Known">Open: the session was welcomed before. Welcome: the session is known or was begun.</param>
/// <param name="Granted">Welcome, Ack: payload bytes that the session may have sent altogether.</param>
/// <param name="To">Payload: stage that it is for.</param>
/// <param name="Key">Payload: what it is.</param>
/// <param name="PayloadKind">Payload: its kind.</param>
/// <param name="Length">Payload: its bytes.</param>
internal readonly record struct FrameHeader(
    FrameKind Kind,
    ulong Session,
    long Sequence = 0,
    bool Known = false,
    long Granted = 0,
    int To = 0,
    TransferKey Key = default,
    byte PayloadKind = 0,
    long Length = 0)
{
    /// <summary>Largest header, bytes.</summary>
    public const int MaximumSize = 1024;

    /// <summary>Elements of the array, by kind; what is not in here is no frame.</summary>
    private static int Elements(FrameKind kind) => kind switch
    {
        FrameKind.Open => 3,
        FrameKind.Payload => 13,
        FrameKind.Ping or FrameKind.Bye => 2,
        FrameKind.Welcome => 5,
        FrameKind.Ack => 4,
        _ => throw new InvalidDataException($"A frame of unknown kind {(byte)kind}."),
    };

    public void Encode(IBufferWriter<byte> buffer)
    {
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(Elements(Kind));
        writer.Write((byte)Kind);
        writer.Write(Session);
        switch (Kind)
        {
            case FrameKind.Open:
                writer.Write(Known);
                break;
            case FrameKind.Payload:
                writer.Write(Sequence);
                writer.Write(To);
                writer.Write(Key.Run);
                writer.Write(Key.Attempt);
                writer.Write(Key.Step);
                writer.Write((byte)Key.Phase);
                writer.Write((byte)Key.Kind);
                writer.Write(Key.MicroBatch);
                writer.Write(Key.Part);
                writer.Write(PayloadKind);
                writer.Write(Length);
                break;
            case FrameKind.Welcome:
                writer.Write(Known);
                writer.Write(Sequence);
                writer.Write(Granted);
                break;
            case FrameKind.Ack:
                writer.Write(Sequence);
                writer.Write(Granted);
                break;
        }

        writer.Flush();
    }

    /// <exception cref="InvalidDataException">The bytes are not a header.</exception>
    public static FrameHeader Decode(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var reader = new MessagePackReader(bytes);
            var elements = reader.ReadArrayHeader();
            var kind = (FrameKind)reader.ReadByte();
            if (elements != Elements(kind))
            {
                throw new InvalidDataException($"{elements} elements in the header of a frame of kind {kind}, expected {Elements(kind)}.");
            }

            var header = new FrameHeader(kind, reader.ReadUInt64());
            header = kind switch
            {
                FrameKind.Open => header with { Known = reader.ReadBoolean() },
                FrameKind.Payload => header with
                {
                    Sequence = Natural(reader.ReadInt64()),
                    To = reader.ReadInt32(),
                    Key = ReadKey(ref reader),
                    PayloadKind = reader.ReadByte(),
                    Length = Natural(reader.ReadInt64()),
                },
                FrameKind.Welcome => header with { Known = reader.ReadBoolean(), Sequence = Natural(reader.ReadInt64()), Granted = Natural(reader.ReadInt64()) },
                FrameKind.Ack => header with { Sequence = Natural(reader.ReadInt64()), Granted = Natural(reader.ReadInt64()) },
                _ => header,
            };
            return reader.End ? header : throw new InvalidDataException("Bytes after the end of a frame's header.");
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException or OverflowException)
        {
            throw new InvalidDataException("A frame's header is not what it should be.", e);
        }
    }

    private static TransferKey ReadKey(ref MessagePackReader reader)
    {
        var run = reader.ReadString() ?? throw new InvalidDataException("A transfer without a run.");
        var (attempt, step, phase, kind) = (reader.ReadInt32(), reader.ReadInt64(), (Phase)reader.ReadByte(), (TransferKind)reader.ReadByte());
        return Enum.IsDefined(phase) && Enum.IsDefined(kind)
            ? new TransferKey(run, attempt, step, phase, kind, reader.ReadInt32(), reader.ReadInt32())
            : throw new InvalidDataException($"A transfer of unknown phase {(byte)phase} or kind {(byte)kind}.");
    }

    private static long Natural(long value) => value >= 0 ? value : throw new InvalidDataException($"Negative number {value} in the header of a frame.");
}
