namespace ActorTrainer.Actors.DataPlane.Peers;

/// <summary>What a connection between two nodes is for.</summary>
public enum PeerPurpose : byte
{
    /// <summary>Payloads of a pipeline, one direction; acknowledgements come back.</summary>
    Payloads = 1,

    /// <summary>Questions for content-addressed objects and their answers.</summary>
    Objects = 2,

    /// <summary>Ciphertexts for the data owner to lift or look at, and its answers.</summary>
    Refresh = 3,
}

/// <summary>Connections between admitted nodes, over one port a node. Who is not admitted costs a few hundred bytes and a counter.</summary>
public interface IPeerNetwork : IDisposable
{
    /// <summary>host:port under which other nodes reach this one.</summary>
    string Address { get; }

    /// <summary>What was accepted and refused so far.</summary>
    PeerCounters Counters { get; }

    /// <summary>
    /// Opens a connection and proves to each other who is there. Blocks until it is done, refused, or <paramref name="patience"/> has passed.
    /// </summary>
    /// <exception cref="PeerRefusedException">Nothing listens there: the process is gone.</exception>
    /// <exception cref="IOException">No answer in time, or the other side is not admitted.</exception>
    PeerConnection Connect(string address, PeerPurpose purpose, TimeSpan patience);

    /// <summary>
    /// Says who takes connections of a purpose; called once for each, before <see cref="Listen"/>. The handler runs on a thread of its own
    /// for each connection and owns it; whatever it throws closes the connection and is counted.
    /// </summary>
    void Serve(PeerPurpose purpose, Action<PeerConnection> handler);

    /// <summary>Starts to listen.</summary>
    void Listen();
}

/// <summary>An admitted connection; blocking reads and writes.</summary>
/// <param name="stream">The bytes, encrypted below when the cluster uses TLS.</param>
/// <param name="node">Name of the node at the other end.</param>
/// <param name="incarnation">Its process.</param>
public sealed class PeerConnection(Stream stream, string node, string incarnation) : IDisposable
{
    /// <summary>The bytes.</summary>
    public Stream Stream { get; } = stream;

    /// <summary>Name of the node at the other end.</summary>
    public string Node { get; } = node;

    /// <summary>Random id of the process at the other end: a restarted node has another one.</summary>
    public string Incarnation { get; } = incarnation;

    /// <summary>Closes at once; blocked reads and writes of other threads fail.</summary>
    public void Dispose() => Stream.Dispose();
}

/// <summary>The connection was refused by the other machine: no process listens there.</summary>
public sealed class PeerRefusedException(string message, Exception inner) : IOException(message, inner);

/// <summary>Counts of a data-plane port. Updated with <see cref="Interlocked"/>.</summary>
public sealed class PeerCounters
{
    private long _accepted;
    private long _refused;
    private long _malformed;
    private long _replayed;
    private long _failed;

    /// <summary>Incoming connections admitted.</summary>
    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>Incoming connections that were not admitted: no or wrong greeting, proof or certificate, too slow, too many.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Frames of admitted connections that were garbage, truncated, oversized or failed their checksum.</summary>
    public long Malformed => Interlocked.Read(ref _malformed);

    /// <summary>Frames that had come before and were dropped.</summary>
    public long Replayed => Interlocked.Read(ref _replayed);

    /// <summary>Admitted connections whose handler ended with an exception.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    public void CountAccepted() => Interlocked.Increment(ref _accepted);

    public void CountRefused() => Interlocked.Increment(ref _refused);

    public void CountMalformed() => Interlocked.Increment(ref _malformed);

    public void CountReplayed() => Interlocked.Increment(ref _replayed);

    public void CountFailed() => Interlocked.Increment(ref _failed);
}
