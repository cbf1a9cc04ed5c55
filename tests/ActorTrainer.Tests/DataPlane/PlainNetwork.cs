using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ActorTrainer.Actors.DataPlane.Peers;

namespace ActorTrainer.Tests.DataPlane;

/// <summary>Connections over loopback without any proof of who is there: incarnation and purpose are exchanged, that is all.</summary>
internal sealed class PlainNetwork : IPeerNetwork
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<PeerPurpose, Action<PeerConnection>> _handlers = new();
    private readonly ConcurrentBag<PeerConnection> _connections = [];
    private bool _stopped;

    public PlainNetwork(string address = "")
    {
        if (address.Length > 0)
        {
            _listener = new TcpListener(IPEndPoint.Parse(address));
        }

        _listener.Start();
        Address = _listener.LocalEndpoint.ToString()!;
    }

    public string Incarnation { get; set; } = Guid.NewGuid().ToString("N");

    public string Address { get; }

    public PeerCounters Counters { get; } = new();

    /// <summary>Put around the stream of every connection that this side opens.</summary>
    public Func<Stream, Stream> Wrap { get; set; } = stream => stream;

    public PeerConnection Connect(string address, PeerPurpose purpose, TimeSpan patience)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Connect(IPEndPoint.Parse(address));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            socket.Dispose();
            throw new PeerRefusedException($"{address} refuses", e);
        }

        var stream = new NetworkStream(socket, ownsSocket: true);
        stream.WriteByte((byte)purpose);
        return Keep(Greet(Wrap(stream)));
    }

    public void Serve(PeerPurpose purpose, Action<PeerConnection> handler) => _handlers[purpose] = handler;

    public void Listen() => new Thread(Accept) { IsBackground = true }.Start();

    public void Dispose()
    {
        _stopped = true;
        _listener.Stop();
        CutAll();
    }

    /// <summary>Breaks all connections; new ones can be made.</summary>
    public void CutAll()
    {
        while (_connections.TryTake(out var connection))
        {
            connection.Dispose();
        }
    }

    private PeerConnection Greet(Stream stream)
    {
        stream.Write(Encoding.ASCII.GetBytes(Incarnation));
        var other = new byte[Incarnation.Length];
        stream.ReadExactly(other);
        return new PeerConnection(stream, "peer", Encoding.ASCII.GetString(other));
    }

    private PeerConnection Keep(PeerConnection connection)
    {
        _connections.Add(connection);
        if (_stopped)
        {
            connection.Dispose();
        }

        return connection;
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                var stream = new NetworkStream(_listener.AcceptSocket(), ownsSocket: true);
                new Thread(() => Handle(stream)) { IsBackground = true }.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private void Handle(Stream stream)
    {
        try
        {
            var purpose = (PeerPurpose)stream.ReadByte();
            _handlers[purpose](Keep(Greet(stream)));
        }
        catch (IOException)
        {
            stream.Dispose();
        }
    }
}
