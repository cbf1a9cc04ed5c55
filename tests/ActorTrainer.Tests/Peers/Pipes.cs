using System.Net;
using System.Net.Sockets;

namespace ActorTrainer.Tests.Peers;

/// <summary>Two ends of a connection inside this process.</summary>
internal static class Pipes
{
    public static (Stream Near, Stream Far) Pair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        near.Connect(listener.LocalEndPoint!);
        return (new NetworkStream(near, ownsSocket: true), new NetworkStream(listener.Accept(), ownsSocket: true));
    }
}
