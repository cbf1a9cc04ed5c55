using System.Net.Sockets;

namespace ActorTrainer.Actors.DataPlane.Peers;

/// <summary>
/// Bytes of a connection; blocking. During the handshake bounded in time and in bytes as a whole, so that neither a byte a second nor a long
/// greeting holds a place.
/// </summary>
/// <param name="socket">Owned.</param>
/// <param name="closed">Called once, when it is closed.</param>
internal sealed class PeerStream(Socket socket, Action<PeerStream> closed) : Stream
{
    private int _closed;
    private long _deadline;
    private long _bytesLeft = long.MaxValue;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override bool CanTimeout => true;

    public override int ReadTimeout
    {
        get => socket.ReceiveTimeout;
        set => socket.ReceiveTimeout = value < 0 ? 0 : value;
    }

    public override int WriteTimeout
    {
        get => socket.SendTimeout;
        set => socket.SendTimeout = value < 0 ? 0 : value;
    }

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Who is at the other end, for people.</summary>
    public string Remote { get; } = Describe(socket);

    /// <summary>From now on, at most that long and that many bytes in all.</summary>
    public void Limit(TimeSpan time, long bytes)
    {
        _deadline = Environment.TickCount64 + Math.Max(1, (long)Math.Min(time.TotalMilliseconds, int.MaxValue));
        _bytesLeft = bytes;
    }

    /// <summary>No bounds any more.</summary>
    public void Lift()
    {
        _deadline = 0;
        _bytesLeft = long.MaxValue;
        try
        {
            socket.ReceiveTimeout = 0;
            socket.SendTimeout = 0;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw Broken(e);
        }
    }

    public override int Read(Span<byte> buffer)
    {
        try
        {
            if (_deadline != 0)
            {
                socket.ReceiveTimeout = TimeLeft();
                if (buffer.Length > _bytesLeft)
                {
                    buffer = buffer[..(int)_bytesLeft];
                    if (buffer.IsEmpty)
                    {
                        throw new IOException("More bytes than an admission takes.");
                    }
                }
            }

            var read = socket.Receive(buffer);
            if (_deadline != 0)
            {
                _bytesLeft -= read;
            }

            return read;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw Broken(e);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            while (!buffer.IsEmpty)
            {
                if (_deadline != 0)
                {
                    socket.SendTimeout = TimeLeft();
                }

                buffer = buffer[socket.Send(buffer)..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw Broken(e);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _closed, 1) == 0)
        {
            try
            {
                // Wakes readers and writers of other threads at once.
                socket.Shutdown(SocketShutdown.Both);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
            }

            socket.Dispose();
            closed(this);
        }

        base.Dispose(disposing);
    }

    private int TimeLeft()
    {
        var left = _deadline - Environment.TickCount64;
        return left > 0 ? (int)Math.Min(left, int.MaxValue) : throw new IOException("It took too long.");
    }

    private static IOException Broken(Exception e) => e is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock }
        ? new IOException("It took too long.", e)
        : new IOException($"The connection broke: {e.Message}", e);

    private static string Describe(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint?.ToString() ?? "?";
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return "?";
        }
    }
}
