using System.Net;
using System.Net.Sockets;
using ActorTrainer.Actors.DataPlane.Peers;

namespace ActorTrainer.Tests.Objects;

/// <summary>Plain sockets without admission; the handlers' threads are joined at the end, and what they threw is kept.</summary>
internal sealed class LoopbackNetwork : IPeerNetwork
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<Thread> _threads = [];
    private Action<PeerConnection> _handler = _ => { };

    public List<Exception> Thrown { get; } = [];

    public string Address => _listener.LocalEndpoint.ToString()!;

    public PeerCounters Counters { get; } = new();

    public PeerConnection Connect(string address, PeerPurpose purpose, TimeSpan patience)
    {
        var client = new TcpClient();
        try
        {
            client.Connect(IPEndPoint.Parse(address));
        }
        catch (SocketException e)
        {
            throw new PeerRefusedException($"{address}: nothing listens there.", e);
        }

        client.NoDelay = true;
        return new PeerConnection(client.GetStream(), $"node at {address}", "1");
    }

    public void Serve(PeerPurpose purpose, Action<PeerConnection> handler) => _handler = handler;

    public void Listen()
    {
        _listener.Start();
        Start(() =>
        {
            try
            {
                while (true)
                {
                    var socket = _listener.AcceptSocket();
                    socket.NoDelay = true;
                    Start(() => Handle(new PeerConnection(new NetworkStream(socket, ownsSocket: true), "client", "2")));
                }
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException)
            {
                // stopped
            }
        });
    }

    public void Dispose()
    {
        _listener.Stop();
        while (true)
        {
            Thread? next;
            lock (_threads)
            {
                next = _threads.FirstOrDefault();
                _threads.Remove(next!);
            }

            if (next is null)
            {
                return;
            }

            next.Join();
        }
    }

    private void Handle(PeerConnection connection)
    {
        try
        {
            _handler(connection);
        }
        catch (Exception e)
        {
            lock (Thrown)
            {
                Thrown.Add(e);
            }
        }
        finally
        {
            connection.Dispose();
        }
    }

    private void Start(Action work)
    {
        var thread = new Thread(() => work()) { IsBackground = true };
        lock (_threads)
        {
            _threads.Add(thread);
        }

        thread.Start();
    }
}
