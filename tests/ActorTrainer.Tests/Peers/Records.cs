using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.DataPlane.Peers.Admission;

namespace ActorTrainer.Tests.Peers;

/// <summary>Records of the handshake by hand, as a stranger would write them.</summary>
internal static class Records
{
    public static byte[] Of(ReadOnlySpan<byte> body, byte version = PeerHandshake.Version, byte answer = 0)
    {
        var record = new byte[PeerHandshake.HeadLength + body.Length];
        PeerHandshake.WriteHead(record, (PeerAnswer)answer, body.Length);
        record[4] = version;
        body.CopyTo(record.AsSpan(PeerHandshake.HeadLength));
        return record;
    }

    public static void Write(Stream stream, ReadOnlySpan<byte> body, byte version = PeerHandshake.Version) => stream.Write(Of(body, version));

    public static byte[] Read(Stream stream)
    {
        var head = new byte[PeerHandshake.HeadLength];
        stream.ReadExactly(head);
        var body = new byte[BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(6))];
        stream.ReadExactly(body);
        return body;
    }

    /// <summary>A plain connection; closing it resets it, so that thousands leave no waiting sockets behind.</summary>
    public static NetworkStream Dial(string address)
    {
        var (host, port) = PeerAddress.Parse(address);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        socket.Connect(IPAddress.Parse(host), port);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
