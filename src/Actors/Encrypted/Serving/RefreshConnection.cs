using ActorTrainer.Actors.DataPlane.Peers;

namespace ActorTrainer.Actors.Encrypted.Serving;

/// <summary>
/// One stage's connection, seen from whoever refreshes: a thread of its own writes answers, so that a stage that does not read holds up no other one, and no more requests
/// are taken than may be unanswered.
/// </summary>
internal sealed class RefreshConnection : IDisposable
{
    private readonly PeerConnection _connection;
    private readonly int _most;
    private readonly object _gate = new();
    private readonly Queue<byte[]> _answers = [];
    private Thread? _writer;
    private int _unanswered;
    private bool _broken;
    private bool _finished;

    /// <param name="connection">Not owned, but closed when it breaks.</param>
    /// <param name="most">Requests that may be unanswered.</param>
    public RefreshConnection(PeerConnection connection, int most) => (_connection, _most) = (connection, most);

    public bool IsBroken
    {
        get
        {
            lock (_gate)
            {
                return _broken;
            }
        }
    }

    /// <summary>Waits until one more request may be taken.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public void Reserve()
    {
        lock (_gate)
        {
            while (_unanswered >= _most && !_broken)
            {
                Monitor.Wait(_gate);
            }

            if (_broken)
            {
                throw new IOException($"The connection to {_connection.Node} broke.");
            }

            _unanswered++;
        }
    }

    /// <summary>Has an answer written; nothing happens when the connection is broken.</summary>
    public void Post(byte[] frame)
    {
        lock (_gate)
        {
            _answers.Enqueue(frame);
            if (_writer is null && !_finished)
            {
                _writer = new Thread(Write) { IsBackground = true, Name = $"answers to {_connection.Node}" };
                _writer.Start();
            }

            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Closes the connection; what is unanswered stays so.</summary>
    public void Break()
    {
        lock (_gate)
        {
            _broken = true;
            Monitor.PulseAll(_gate);
        }

        _connection.Dispose();
    }

    /// <summary>Waits until every request that was taken is answered, or the connection is broken.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            while (_unanswered > 0 && !_broken)
            {
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _finished = true;
            Monitor.PulseAll(_gate);
        }

        _writer?.Join();
    }

    private void Write()
    {
        try
        {
            while (Next() is { } frame)
            {
                _connection.Stream.Write(frame);
                _connection.Stream.Flush();
                lock (_gate)
                {
                    _unanswered--;
                    Monitor.PulseAll(_gate);
                }
            }
        }
        catch (Exception)
        {
            // Gone, or it does not read: it will ask again over another connection.
            Break();
        }
    }

    private byte[]? Next()
    {
        lock (_gate)
        {
            while (_answers.Count == 0 && !_broken && !_finished)
            {
                Monitor.Wait(_gate);
            }

            return _broken || _answers.Count == 0 ? null : _answers.Dequeue();
        }
    }
}
