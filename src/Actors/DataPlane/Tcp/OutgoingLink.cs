using System.Diagnostics;
using System.Security.Cryptography;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>
/// The sending end of a link: one session of one attempt with one node. A thread of its own connects, sends what is queued within the
/// receiver's credit, and connects again when the connection breaks; a second one reads acknowledgements, so that a dead peer is
/// noticed at once even when there is nothing to send.
/// </summary>
internal sealed partial class OutgoingLink : IDisposable
{
    private readonly IPeerNetwork _network;
    private readonly TcpDataPlaneOptions _options;
    private readonly PlaneCounters _counters;
    private readonly Action<OutgoingLink, string> _lost;
    private readonly Thread _thread;
    private readonly ulong _session = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
    private readonly ManualResetEventSlim _stop = new();
    private readonly object _gate = new();
    private readonly OutgoingQueue _queue = new();

    private PeerConnection? _connection;
    private FrameWriter? _writer;
    private long _granted;
    private long _writing;
    private bool _pinged;
    private bool _closed;
    private long? _brokenSince;

    /// <summary>Creates the link; <see cref="Start"/> begins to connect.</summary>
    /// <param name="run">Run id.</param>
    /// <param name="attempt">Attempt.</param>
    /// <param name="address">Data-plane address of the peer.</param>
    /// <param name="network">Makes connections.</param>
    /// <param name="options">Limits.</param>
    /// <param name="counters">Counters.</param>
    /// <param name="lost">Told once, with the reason, when the link is given up.</param>
    public OutgoingLink(
        string run,
        int attempt,
        string address,
        IPeerNetwork network,
        TcpDataPlaneOptions options,
        PlaneCounters counters,
        Action<OutgoingLink, string> lost)
    {
        (Run, Attempt, Address) = (run, attempt, address);
        (_network, _options, _counters, _lost) = (network, options, counters, lost);
        _thread = new Thread(Work) { IsBackground = true, Name = $"link to {address}" };
    }

    public string Run { get; }

    public int Attempt { get; }

    public string Address { get; }

    public void Start() => _thread.Start();

    /// <summary>Queues a payload, which belongs to the link from here on.</summary>
    public void Send(int to, TransferKey key, IPayload payload)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                _queue.Add(to, key, payload);
                _counters.AddQueued(1);
                Monitor.PulseAll(_gate);
                return;
            }
        }

        payload.Dispose();
        _counters.CountStale();
    }

    /// <summary>Ends the link; its thread drops what is queued.</summary>
    public void Dispose()
    {
        _stop.Set();
        lock (_gate)
        {
            if (_writing != 0)
            {
                _connection?.Dispose();
            }

            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until the thread has ended.</summary>
    public void Join(TimeSpan patience) => _thread.Join(patience);

    private void Work()
    {
        var reason = "";
        try
        {
            while (Connect() is { } connection)
            {
                Pump(connection);
            }
        }
        catch (LinkLostException e)
        {
            reason = e.Message;
        }
        catch (Exception e)
        {
            reason = $"sending to {Address} failed: {e.GetType().Name}: {e.Message}"; // a payload that cannot be written
        }

        Close();
        if (reason.Length > 0 && !_stop.IsSet)
        {
            _counters.CountLost();
            _lost(this, reason);
        }
    }

    /// <summary>Sends until the connection breaks or the link ends.</summary>
    private void Pump(PeerConnection connection)
    {
        while (TakeNext(connection, out var frame))
        {
            try
            {
                if (frame is null)
                {
                    _writer!.WriteFrame(new FrameHeader(FrameKind.Ping, _session));
                    continue;
                }

                var header = new FrameHeader(
                    FrameKind.Payload, _session, frame.Sequence, To: frame.To, Key: frame.Key, PayloadKind: _options.PayloadKind, Length: frame.Size);
                _writer!.WriteFrame(header, frame.Payload);
                _counters.CountSent(frame.Size);
            }
            catch (IOException)
            {
                Break(connection);
                return;
            }
            finally
            {
                lock (_gate)
                {
                    _writing = 0;
                    Monitor.PulseAll(_gate);
                }
            }
        }
    }

    /// <summary>Waits for a frame that may be sent; null: nothing for some time, a ping is due. False: the connection or the link has ended.</summary>
    private bool TakeNext(PeerConnection connection, out OutgoingFrame? frame)
    {
        frame = null;
        lock (_gate)
        {
            while (true)
            {
                if (_stop.IsSet || _connection != connection)
                {
                    return false;
                }

                frame = _queue.TakeNext(_granted);
                if (frame is not null)
                {
                    _writing = frame.Sequence;
                    return true;
                }

                if (!Monitor.Wait(_gate, _options.PingInterval) && !_pinged)
                {
                    _pinged = true;
                    _writing = long.MaxValue;
                    return true;
                }
            }
        }
    }

    private void ReadAnswers(PeerConnection connection, FrameReader frames)
    {
        try
        {
            while (frames.Next(out var header))
            {
                frames.Finish();
                if (header.Kind != FrameKind.Ack || header.Session != _session)
                {
                    break;
                }

                Acknowledge(connection, header);
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            // Broken or nonsense: either way a new connection begins where the receiver is.
        }
        finally
        {
            Break(connection);
        }
    }

    private void Acknowledge(PeerConnection connection, in FrameHeader header)
    {
        IReadOnlyList<OutgoingFrame> done;
        lock (_gate)
        {
            // An acknowledgement can come before the thread that writes the frame is back from its last write.
            while (_writing != 0 && header.Sequence >= _writing && _connection == connection)
            {
                Monitor.Wait(_gate);
            }

            if (_connection != connection)
            {
                return;
            }

            done = _queue.Acknowledge(header.Sequence);
            _granted = Math.Max(_granted, header.Granted);
            _pinged = false;
            _silent = 0;
            if (done.Count > 0)
            {
                _fruitless = 0;
            }

            Monitor.PulseAll(_gate);
        }

        Drop(done);
    }

    private void Break(PeerConnection connection)
    {
        lock (_gate)
        {
            if (_connection == connection)
            {
                _connection = null;
                _brokenSince ??= Stopwatch.GetTimestamp();
                _counters.AddLinks(-1);
                Monitor.PulseAll(_gate);
            }
        }

        connection.Dispose();
    }

    private void Close()
    {
        PeerConnection? connection;
        IReadOnlyList<OutgoingFrame> left;
        lock (_gate)
        {
            _closed = true;
            connection = _connection;
            left = _queue.Clear();
        }

        if (connection is not null)
        {
            SayGoodbye(connection);
            Break(connection);
        }

        Drop(left);
    }

    private void SayGoodbye(PeerConnection connection)
    {
        try
        {
            StreamLimits.Set(connection.Stream, read: null, write: _options.PingInterval);
            _writer!.WriteFrame(new FrameHeader(FrameKind.Bye, _session));
        }
        catch (IOException)
        {
            // It was broken anyway.
        }
    }

    private void Drop(IReadOnlyList<OutgoingFrame> frames)
    {
        _counters.AddQueued(-frames.Count);
        foreach (var frame in frames)
        {
            frame.Payload.Dispose();
        }
    }
}
