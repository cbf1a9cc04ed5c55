using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ActorTrainer.Actors.DataPlane.Peers.Admission;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.DataPlane.Peers;

/// <summary>
/// Connections between admitted nodes over TCP, with TLS when it is set. A thread accepts; every connection has a background thread of its own,
/// which admits it and then runs the handler of its purpose.
/// </summary>
public sealed class PeerNetwork : IPeerNetwork
{
    /// <summary>Bytes that a stranger may send before it is admitted: the flights of TLS with a chain of certificates, and the greeting.</summary>
    private const int MaxAdmissionBytes = 64 << 10;

    /// <summary>How long disposal waits for handlers to end after their connections were closed.</summary>
    private static readonly TimeSpan JoinTime = TimeSpan.FromSeconds(5);

    private readonly PeerSettings _settings;
    private readonly PeerHandshake _handshake;
    private readonly Socket _listener;
    private readonly Action<PeerConnection>?[] _handlers = new Action<PeerConnection>?[256];
    private readonly ConcurrentDictionary<PeerStream, bool> _open = new();
    private readonly ConcurrentDictionary<Thread, bool> _threads = new();
    private Thread? _acceptor;
    private long _reported = long.MinValue / 2;
    private int _incoming;
    private volatile bool _stopping;

    /// <summary>Takes the port; strangers are turned away by the operating system until <see cref="Listen"/>.</summary>
    /// <exception cref="RefusedException">A setting cannot be used: the address, the port, the node's name, or a certificate for another node.</exception>
    public PeerNetwork(PeerSettings settings)
    {
        if (PeerGreeting.ComplainAbout(settings.Node) is { } complaint)
        {
            throw new RefusedException($"cluster.node: {complaint}.");
        }

        if (PeerGreeting.ComplainAbout(settings.Incarnation, PeerGreeting.MaxIncarnation) is { } fault)
        {
            throw new ArgumentException($"Incarnation: {fault}.", nameof(settings));
        }

        settings.Tls?.CheckName(settings.Node);
        _settings = settings;
        _handshake = new PeerHandshake(settings.Node, settings.Incarnation, settings.Secret);
        _listener = PeerAddress.Bind(settings.Address, settings.Port);
        Address = PeerAddress.Format(settings.Address, ((IPEndPoint)_listener.LocalEndPoint!).Port);
    }

    /// <inheritdoc/>
    public string Address { get; }

    /// <inheritdoc/>
    public PeerCounters Counters { get; } = new();

    /// <inheritdoc/>
    public void Serve(PeerPurpose purpose, Action<PeerConnection> handler)
    {
        if (_acceptor is not null || Interlocked.CompareExchange(ref _handlers[(byte)purpose], handler, null) is not null)
        {
            throw new InvalidOperationException($"{purpose} must be served once, and before listening.");
        }
    }

    /// <inheritdoc/>
    public void Listen()
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (_acceptor is not null)
        {
            throw new InvalidOperationException("It listens already.");
        }

        _listener.Listen(256);
        _acceptor = new Thread(AcceptLoop) { IsBackground = true, Name = "peers of " + _settings.Node };
        _acceptor.Start();
    }

    /// <inheritdoc/>
    public PeerConnection Connect(string address, PeerPurpose purpose, TimeSpan patience)
    {
        var until = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        var stream = Dial(address, patience);
        try
        {
            stream.Limit(TimeSpan.FromMilliseconds(until - Environment.TickCount64), MaxAdmissionBytes);
            var (secured, names) = _settings.Tls is { } tls ? tls.SecureCaller(stream) : (stream, null);
            var greeting = _handshake.Call(secured, purpose, name => names?.Contains(name) ?? true);
            stream.Lift();
            return new PeerConnection(secured, greeting.Node, greeting.Incarnation);
        }
        catch (Exception e)
        {
            stream.Dispose();
            throw e switch
            {
                NotAdmittedException => new IOException($"{address}: {e.Message}", e),
                EndOfStreamException => new IOException($"{address}: the connection was closed before this node was admitted; {UntoldReason()}", e),
                IOException => new IOException($"{address}: no admission within {patience.TotalSeconds:0.#} s, or the connection broke: {e.Message}", e),
                _ => e,
            };
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping = true;
        _listener.Dispose();
        CloseAll();
        _acceptor?.Join();
        CloseAll();
        var until = Environment.TickCount64 + (long)JoinTime.TotalMilliseconds;
        foreach (var thread in _threads.Keys)
        {
            if (thread != Thread.CurrentThread)
            {
                thread.Join((int)Math.Max(0, until - Environment.TickCount64));
            }
        }
    }

    private void CloseAll()
    {
        foreach (var stream in _open.Keys)
        {
            stream.Dispose();
        }
    }

    private void AcceptLoop()
    {
        while (!_stopping)
        {
            try
            {
                Take(_listener.Accept());
            }
            catch (Exception) when (_stopping)
            {
            }
            catch (Exception e) when (e is SocketException or OutOfMemoryException or ThreadStartException)
            {
                // Reset before it was accepted, or no file handles or threads left: those that are open go on, and the next may fit again.
                Report($"A connection could not be accepted: {e.Message}");
                Thread.Sleep(10);
            }
        }
    }

    /// <summary>Gives a new connection its thread, or turns it away when there are too many.</summary>
    private void Take(Socket socket)
    {
        if (Interlocked.Increment(ref _incoming) > _settings.MaxConnections)
        {
            Interlocked.Decrement(ref _incoming);
            Counters.CountRefused();
            TurnAway(socket);
            return;
        }

        var stream = new PeerStream(socket, Forget);
        var thread = new Thread(() => Serve(socket, stream)) { IsBackground = true, Name = "peer " + stream.Remote };
        _open[stream] = true;
        _threads[thread] = true;
        try
        {
            thread.Start();
        }
        catch
        {
            _threads.TryRemove(thread, out _);
            Counters.CountRefused();
            stream.Dispose();
            throw;
        }

        void Forget(PeerStream closed)
        {
            _open.TryRemove(closed, out _);
            Interlocked.Decrement(ref _incoming);
        }
    }

    /// <summary>Says why in a single send that cannot block; with TLS there is no session to say it in.</summary>
    private void TurnAway(Socket socket)
    {
        using (socket)
        {
            Report($"{_settings.MaxConnections} connections are open, as many as allowed.");
            if (_settings.Tls is null)
            {
                var head = new byte[PeerHandshake.HeadLength];
                PeerHandshake.WriteHead(head, PeerAnswer.Busy, 0);
                socket.Send(head, SocketFlags.None, out _);
            }
        }
    }

    private void Serve(Socket socket, PeerStream stream)
    {
        try
        {
            if (Admit(socket, stream) is { } connection)
            {
                Handle(connection.Connection, connection.Handler);
            }
        }
        finally
        {
            _threads.TryRemove(Thread.CurrentThread, out _);
        }
    }

    private (PeerConnection Connection, Action<PeerConnection> Handler)? Admit(Socket socket, PeerStream stream)
    {
        try
        {
            Tune(socket);
            stream.Limit(_settings.HandshakeTimeout, MaxAdmissionBytes);
            var (secured, names) = _settings.Tls is { } tls ? tls.SecureListener(stream) : (stream, null);
            var greeting = _handshake.Answer(secured, purpose => _handlers[(byte)purpose] is not null, name => names?.Contains(name) ?? true);
            stream.Lift();
            Counters.CountAccepted();
            return (new PeerConnection(secured, greeting.Node, greeting.Incarnation), _handlers[(byte)greeting.Purpose]!);
        }
        catch (Exception e)
        {
            // Whatever a stranger's bytes lead to ends with the stranger.
            stream.Dispose();
            if (!_stopping)
            {
                Counters.CountRefused();
                Report($"{stream.Remote} was not admitted: {e.Message}");
            }

            return null;
        }
    }

    private void Handle(PeerConnection connection, Action<PeerConnection> handler)
    {
        try
        {
            handler(connection);
        }
        catch (Exception)
        {
            connection.Dispose();
            if (!_stopping)
            {
                Counters.CountFailed();
            }
        }
    }

    /// <summary>Connects, within the patience and without ever switching the socket to the slower asynchronous mode.</summary>
    private PeerStream Dial(string address, TimeSpan patience)
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        var (host, port) = PeerAddress.Parse(address);
        var target = PeerAddress.Resolve(host)[0];
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        var stream = new PeerStream(socket, closed => _open.TryRemove(closed, out _));
        _open[stream] = true;
        try
        {
            using (new Timer(_ => socket.Dispose(), null, patience, Timeout.InfiniteTimeSpan))
            {
                socket.Connect(new IPEndPoint(target, port));
            }

            Tune(socket);
            ObjectDisposedException.ThrowIf(_stopping, this);
            return stream;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            stream.Dispose();
            throw new PeerRefusedException($"{address}: nothing listens there.", e);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            stream.Dispose();
            throw new IOException($"{address}: no connection within {patience.TotalSeconds:0.#} s: {e.Message}", e);
        }
    }

    /// <summary>Buffers are left to the operating system, which fits them to the link.</summary>
    private static void Tune(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
    }

    private string UntoldReason() => _settings.Tls is null
        ? "does it use TLS (cluster.tls), or was it just ending?"
        : "its authority has not signed this node's certificate, it does not use TLS, or it has too many connections.";

    /// <summary>At most once a second: a flood of strangers is not to become a flood of lines.</summary>
    private void Report(string reason)
    {
        var now = Environment.TickCount64;
        var last = Interlocked.Read(ref _reported);
        if (_settings.Refused is { } refused && now - last >= 1000 && Interlocked.CompareExchange(ref _reported, now, last) == last)
        {
            refused(reason);
        }
    }
}
