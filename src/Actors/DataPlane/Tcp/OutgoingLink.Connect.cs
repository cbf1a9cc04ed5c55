using System.Diagnostics;
using System.Net.Sockets;
using ActorTrainer.Actors.DataPlane.Peers;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>Connecting, resuming, and noticing that a connection is dead although nobody closed it.</summary>
internal sealed partial class OutgoingLink
{
    private const int SilentLooks = 4;

    /// <summary>Connections in a row over which nothing got through: the receiver does not want what is sent.</summary>
    private const int MostFruitless = 12;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(250);

    private string? _incarnation;
    private long _seen;
    private int _silent;
    private int _fruitless;

    /// <summary>How often <see cref="Look"/> is to be called.</summary>
    public static TimeSpan LookInterval(TcpDataPlaneOptions options) => options.LinkPatience / (2 * SilentLooks);

    /// <summary>Gives the connection up when for half the patience nothing was written and an awaited answer did not come.</summary>
    public void Look()
    {
        PeerConnection? connection;
        lock (_gate)
        {
            var written = _writer?.Written ?? 0;
            var waits = _connection is not null && (_writing != 0 || _pinged || _queue.Awaits);
            _silent = waits && written == _seen ? _silent + 1 : 0;
            _seen = written;
            if (_silent < SilentLooks)
            {
                return;
            }

            connection = _connection;
            _brokenSince ??= Stopwatch.GetTimestamp() - (long)(_options.LinkPatience.TotalSeconds / 2 * Stopwatch.Frequency);
        }

        if (connection is not null)
        {
            Break(connection);
        }
    }

    /// <summary>Connects, again and again until the patience ends; null when the link was ended meanwhile.</summary>
    /// <exception cref="LinkLostException">The peer is gone.</exception>
    private PeerConnection? Connect()
    {
        if (_fruitless >= MostFruitless)
        {
            throw new LinkLostException($"{Address} closes the connection again and again without taking a frame");
        }

        _stop.Wait(Pause(_fruitless - 1));
        var tries = 0;
        var last = "no answer";
        while (!_stop.IsSet)
        {
            var left = _options.LinkPatience - BrokenFor();
            if (left <= TimeSpan.Zero)
            {
                throw new LinkLostException($"the link to {Address} did not come back within {_options.LinkPatience.TotalSeconds:0.#} s: {last}");
            }

            PeerConnection? connection = null;
            try
            {
                connection = _network.Connect(Address, PeerPurpose.Payloads, left);
                return Greet(connection, left);
            }
            catch (PeerRefusedException e)
            {
                throw new LinkLostException($"nothing listens at {Address} any more", e);
            }
            catch (Exception e) when (e is IOException or InvalidDataException or SocketException or ObjectDisposedException)
            {
                last = e.Message;
                connection?.Dispose();
                _stop.Wait(Pause(++tries));
            }
            catch
            {
                connection?.Dispose();
                throw;
            }
        }

        return null;
    }

    /// <summary>Pause before another try: none, then twice as long each time.</summary>
    private static TimeSpan Pause(int tries) =>
        tries <= 0 ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstPause.Ticks << Math.Min(tries - 1, 8)));

    private TimeSpan BrokenFor()
    {
        lock (_gate)
        {
            _brokenSince ??= Stopwatch.GetTimestamp();
            return Stopwatch.GetElapsedTime(_brokenSince.Value);
        }
    }

    /// <summary>Agrees with the receiver on where to go on.</summary>
    private PeerConnection Greet(PeerConnection connection, TimeSpan patience)
    {
        var resumes = _incarnation is not null;
        if (resumes && _incarnation != connection.Incarnation)
        {
            throw new LinkLostException($"{connection.Node} at {Address} was restarted");
        }

        var writer = new FrameWriter(connection.Stream);
        var frames = new FrameReader(connection.Stream);
        StreamLimits.Set(connection.Stream, read: patience, write: patience);
        writer.WriteFrame(new FrameHeader(FrameKind.Open, _session, Known: resumes));
        if (!frames.Next(out var welcome))
        {
            throw new EndOfStreamException("the peer closed the connection");
        }

        frames.Finish();
        if (welcome.Kind != FrameKind.Welcome || welcome.Session != _session)
        {
            throw new InvalidDataException($"the peer answered with a frame of kind {welcome.Kind}");
        }

        if (!welcome.Known)
        {
            throw new LinkLostException($"{connection.Node} at {Address} has forgotten the link");
        }

        StreamLimits.Set(connection.Stream, read: null, write: null);
        Resume(connection, writer, welcome);
        if (resumes)
        {
            _counters.CountResumed();
        }

        new Thread(() => ReadAnswers(connection, frames)) { IsBackground = true, Name = $"answers from {Address}" }.Start();
        return connection;
    }

    private void Resume(PeerConnection connection, FrameWriter writer, in FrameHeader welcome)
    {
        IReadOnlyList<OutgoingFrame> done;
        lock (_gate)
        {
            done = _queue.Acknowledge(welcome.Sequence);
            _queue.Rewind();
            (_connection, _writer, _incarnation) = (connection, writer, connection.Incarnation);
            (_pinged, _silent, _seen) = (false, 0, 0);
            _granted = welcome.Granted;
            _brokenSince = null;
            _fruitless = done.Count > 0 || _queue.Count == 0 ? 0 : _fruitless + 1;
            _counters.AddLinks(1);
        }

        Drop(done);
    }
}
