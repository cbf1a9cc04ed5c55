using ActorTrainer.Actors.DataPlane.Peers;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>What a receiver knows of one link of a sender, over all its connections.</summary>
/// <param name="incarnation">Process of the sender.</param>
/// <param name="id">Random id.</param>
internal sealed class IncomingSession(string incarnation, ulong id)
{
    private readonly Lock _gate = new();
    private PeerConnection? _connection;
    private long _last;
    private long _bytes;

    public string Incarnation { get; } = incarnation;

    public ulong Id { get; } = id;

    /// <summary>Number of the last frame handed over.</summary>
    public long Last => Interlocked.Read(ref _last);

    /// <summary>Payload bytes handed over.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Order in which sessions lost their connections.</summary>
    public long ReleasedAt { get; set; }

    public bool IsConnected => Volatile.Read(ref _connection) is not null;

    /// <summary>The session goes on over this connection; what still comes from an earlier one no longer counts.</summary>
    public void Use(PeerConnection connection)
    {
        PeerConnection? earlier;
        lock (_gate)
        {
            (earlier, _connection) = (_connection, connection);
        }

        earlier?.Dispose();
    }

    /// <summary>The connection has ended; false when the session has another one by now.</summary>
    public bool Leave(PeerConnection connection)
    {
        lock (_gate)
        {
            if (_connection != connection)
            {
                return false;
            }

            _connection = null;
            return true;
        }
    }

    /// <summary>A frame is complete and correct: counts it and hands it over, in order.</summary>
    /// <exception cref="IOException">The session goes on over another connection.</exception>
    public bool Complete(PeerConnection connection, in FrameHeader header, Func<bool> handOver)
    {
        lock (_gate)
        {
            if (_connection != connection)
            {
                throw new IOException("The session goes on over another connection.");
            }

            Interlocked.Exchange(ref _last, header.Sequence);
            Interlocked.Add(ref _bytes, header.Length);
            return handOver();
        }
    }

    /// <summary>Ends the connection, if there is one.</summary>
    public void Close() => Volatile.Read(ref _connection)?.Dispose();
}

/// <summary>All sessions of a receiver. Few: one for each sending node and attempt; those that ended without a word go first.</summary>
internal sealed class IncomingSessions : IDisposable
{
    /// <summary>Most sessions kept, connected or not.</summary>
    internal const int Maximum = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Incarnation, ulong Id), IncomingSession> _sessions = [];
    private long _released;
    private bool _disposed;

    /// <summary>Begins or resumes a session; null when it was known once and is not any more.</summary>
    /// <exception cref="IOException">The receiver is closing or has too many connected sessions.</exception>
    public IncomingSession? Take(PeerConnection connection, ulong id, bool known)
    {
        lock (_gate)
        {
            if (!_sessions.TryGetValue((connection.Incarnation, id), out var session))
            {
                if (known)
                {
                    return null;
                }

                MakeRoom();
                session = new IncomingSession(connection.Incarnation, id);
                _sessions.Add((connection.Incarnation, id), session);
            }

            if (_disposed)
            {
                throw new IOException("The data plane is closing.");
            }

            session.Use(connection);
            return session;
        }
    }

    /// <summary>The session's connection has ended; the sender may come back.</summary>
    public void Release(IncomingSession session, PeerConnection connection)
    {
        lock (_gate)
        {
            if (session.Leave(connection))
            {
                session.ReleasedAt = ++_released;
            }
        }
    }

    /// <summary>The sender will not come back.</summary>
    public void Forget(IncomingSession session, PeerConnection connection)
    {
        lock (_gate)
        {
            if (session.Leave(connection))
            {
                _sessions.Remove((session.Incarnation, session.Id));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var session in _sessions.Values)
            {
                session.Close();
            }
        }
    }

    private void MakeRoom()
    {
        if (_sessions.Count >= Maximum)
        {
            var oldest = _sessions.Values.Where(s => !s.IsConnected).MinBy(s => s.ReleasedAt)
                ?? throw new IOException($"More than {Maximum} senders are connected.");
            _sessions.Remove((oldest.Incarnation, oldest.Id));
        }
    }
}
