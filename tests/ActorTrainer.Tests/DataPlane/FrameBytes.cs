using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Tcp;
using ActorTrainer.Actors.Protocol;
using TorchSharp;

namespace ActorTrainer.Tests.DataPlane;

/// <summary>Frames as bytes, good and bad ones.</summary>
internal sealed class FrameBytes(Random random, TcpDataPlaneOptions options)
{
    public const ulong Session = 77;

    /// <summary>Ways to spoil a frame; the receiver must find every one of them.</summary>
    public const int Faults = 12;

    public static byte[] Open(ulong session = Session, bool known = false) => Frame(new FrameHeader(FrameKind.Open, session, Known: known));

    public static byte[] Frame(FrameHeader header, IPayload? payload = null)
    {
        using var bytes = new MemoryStream();
        new FrameWriter(bytes).WriteFrame(header, payload);
        return bytes.ToArray();
    }

    /// <summary>A frame that is as it should be.</summary>
    public byte[] Good(long sequence, int elements = 20, int attempt = 1)
    {
        using var payload = new TensorPayload(torch.full([elements], (float)sequence));
        return Frame(Header(sequence, payload, attempt), payload);
    }

    /// <summary>Bytes that are not the frame <paramref name="sequence"/>.</summary>
    public byte[] Bad(int fault, long sequence)
    {
        var good = Good(sequence, random.Next(1, 40));
        switch (fault)
        {
            case 0: // noise
                random.NextBytes(good);
                return good;
            case 1: // noise with a plausible length
                random.NextBytes(good.AsSpan(4));
                return good;
            case 2: // cut off
                return good[..random.Next(1, good.Length)];
            case 3: // one bit turned over
                good[random.Next(good.Length)] ^= (byte)(1 << random.Next(8));
                return good;
            case 4: // a header larger than any
                BitConverter.TryWriteBytes(good, random.Next(FrameHeader.MaximumSize + 1, int.MaxValue));
                return good;
            case 5: // a payload larger than any
                return Announce(sequence, options.MaxPayloadBytes + random.NextInt64(1, 1L << 50));
            case 6: // a tensor larger than its frame
                return Frame(Header(sequence, new RawPayload(HugeTensor())), new RawPayload(HugeTensor()));
            case 7: // a gap
                return Good(sequence + random.Next(1, 1000));
            case 8: // another session
                return Frame(new FrameHeader(FrameKind.Ping, Session + 1 + (ulong)random.Next(1000)));
            case 9: // a frame that only a receiver sends, or a second beginning
                return Frame(new FrameHeader((FrameKind[])[FrameKind.Welcome, FrameKind.Ack, FrameKind.Open] is var kinds ? kinds[random.Next(3)] : default, Session));
            case 10: // another kind of payload
                return Frame(Header(sequence, new RawPayload(new byte[9])) with { PayloadKind = (byte)random.Next(2, 256) }, new RawPayload(new byte[9]));
            default: // correctly framed noise
                var noise = new byte[random.Next(1, 200)];
                random.NextBytes(noise);
                noise[0] = (byte)random.Next(2, 6);
                return Frame(Header(sequence, new RawPayload(noise)), new RawPayload(noise));
        }
    }

    private static byte[] HugeTensor() =>
        [1, (byte)torch.ScalarType.Float32, 2, .. BitConverter.GetBytes(1L << 14), .. BitConverter.GetBytes(1L << 15), .. new byte[64]];

    private byte[] Announce(long sequence, long length)
    {
        // Only the announcement; what follows does not matter.
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        (Header(sequence, new RawPayload([])) with { Length = length }).Encode(bytes);
        return [.. BitConverter.GetBytes(bytes.WrittenCount), .. bytes.WrittenSpan, .. new byte[random.Next(100)]];
    }

    private static FrameHeader Header(long sequence, IPayload payload, int attempt = 1) => new(
        FrameKind.Payload, Session, sequence, To: 1, Key: new TransferKey("run", attempt, 1, Phase.Train, TransferKind.Activation, (int)sequence, 1),
        PayloadKind: 1, Length: payload.WireSize);

    private sealed class RawPayload(byte[] bytes) : IPayload
    {
        public long WireSize => bytes.Length;

        public void Write(Stream stream) => stream.Write(bytes);

        public void Dispose()
        {
        }
    }
}
