namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>What a data plane has done so far. Any thread may read.</summary>
public sealed class PlaneCounters
{
    private long _bytesSent;
    private long _bytesReceived;
    private long _framesSent;
    private long _framesReceived;
    private long _stale;
    private long _resumed;
    private long _lost;
    private long _links;
    private long _queued;

    /// <summary>Payload bytes sent to other nodes, repetitions included.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>Payload bytes received from other nodes and handed over.</summary>
    public long BytesReceived => Interlocked.Read(ref _bytesReceived);

    /// <summary>Payloads sent to other nodes, repetitions included.</summary>
    public long FramesSent => Interlocked.Read(ref _framesSent);

    /// <summary>Payloads received from other nodes and handed over.</summary>
    public long FramesReceived => Interlocked.Read(ref _framesReceived);

    /// <summary>Payloads dropped because their attempt is over or was never joined.</summary>
    public long Stale => Interlocked.Read(ref _stale);

    /// <summary>Broken connections that were resumed.</summary>
    public long Resumed => Interlocked.Read(ref _resumed);

    /// <summary>Links given up.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Links that are up now.</summary>
    public long Links => Interlocked.Read(ref _links);

    /// <summary>Payloads now waiting to be sent or acknowledged.</summary>
    public long Queued => Interlocked.Read(ref _queued);

    internal void CountSent(long bytes)
    {
        Interlocked.Add(ref _bytesSent, bytes);
        Interlocked.Increment(ref _framesSent);
    }

    internal void CountReceived(long bytes)
    {
        Interlocked.Add(ref _bytesReceived, bytes);
        Interlocked.Increment(ref _framesReceived);
    }

    internal void CountStale() => Interlocked.Increment(ref _stale);

    internal void CountResumed() => Interlocked.Increment(ref _resumed);

    internal void CountLost() => Interlocked.Increment(ref _lost);

    internal void AddLinks(int change) => Interlocked.Add(ref _links, change);

    internal void AddQueued(int change) => Interlocked.Add(ref _queued, change);
}
