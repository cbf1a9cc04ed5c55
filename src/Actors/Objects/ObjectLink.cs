using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Objects;

/// <summary>
/// A connection to another node's <see cref="ObjectServer"/>. Members block and are called one at a time; after an exception the link is of
/// no more use.
/// </summary>
public sealed class ObjectLink : IDisposable
{
    private const int BufferBytes = 1 << 18;

    private readonly PeerConnection _connection;
    private readonly string _address;
    private readonly long _maxBytes;

    internal ObjectLink(PeerConnection connection, string address, long maxBytes, TimeSpan patience)
    {
        (_connection, _address, _maxBytes) = (connection, address, maxBytes);
        SetPatience(connection.Stream, patience);
    }

    private Stream Stream => _connection.Stream;

    /// <summary>Those of the hashes that the other node holds.</summary>
    /// <exception cref="IOException">The link is broken, or the other side refused.</exception>
    public IReadOnlyList<string> Holds(string run, IEnumerable<string> hashes) => Naming(() =>
    {
        List<string> held = [];
        foreach (var some in hashes.Chunk(ObjectProtocol.MaxHashes))
        {
            var bits = Ask(ObjectProtocol.Ask(ObjectProtocol.Question.Has, run, some)).Number;
            held.AddRange(some.Where((_, i) => (bits >> i & 1) != 0));
        }

        return held;
    });

    /// <summary>Brings an object into a store of this node, for the checkpoint that it belongs to there.</summary>
    /// <exception cref="IOException">The link is broken, the other side refused, or what it sent is damaged or too large; nothing has been stored.</exception>
    public void Fetch(string run, string hash, NodeStore into) => Naming(() =>
    {
        var answer = Ask(ObjectProtocol.Ask(ObjectProtocol.Question.Get, run, [hash]));
        if (answer.Number < 0 || answer.Number > _maxBytes)
        {
            throw new InvalidDataException($"the object has {answer.Number} bytes, at most {_maxBytes} are taken (cluster.max_payload)");
        }

        into.Receive(run, answer.Step, hash, answer.Number, Stream);
        return true;
    });

    /// <summary>Makes the other node hold an object for the checkpoint of a step; sends its bytes only when they are not there.</summary>
    /// <exception cref="IOException">The file cannot be read, the link is broken, or the other side refused.</exception>
    public void Push(string run, long step, string hash, string path) => Naming(() =>
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        var answer = Ask(ObjectProtocol.Ask(ObjectProtocol.Question.Put, run, [hash], step, file.Length));
        if (answer.Kind == ObjectProtocol.Reply.Send)
        {
            Send(file, Stream);
            Stream.Flush();
            answer = Answered();
        }

        return answer.Kind == ObjectProtocol.Reply.Ok ? true : throw new InvalidDataException("an answer to another question");
    });

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    /// <summary>Reads and writes that make no progress for so long fail.</summary>
    internal static void SetPatience(Stream stream, TimeSpan patience)
    {
        if (stream.CanTimeout)
        {
            stream.ReadTimeout = stream.WriteTimeout = (int)Math.Clamp(patience.TotalMilliseconds, 1, int.MaxValue);
        }
    }

    /// <summary>Sends what is left of a file, through a pooled buffer.</summary>
    internal static void Send(Stream file, Stream to) => file.CopyTo(to, BufferBytes);

    private ObjectProtocol.Answer Ask(ObjectProtocol.Request request)
    {
        PeerHeaders.Write(Stream, request);
        return Answered();
    }

    private ObjectProtocol.Answer Answered()
    {
        var answer = PeerHeaders.Read<ObjectProtocol.Answer>(Stream) ?? throw new EndOfStreamException("the connection was closed");
        return answer.Kind == ObjectProtocol.Reply.Refused ? throw new IOException($"refused: {answer.Text}") : answer;
    }

    /// <summary>Every failure names the other side.</summary>
    private T Naming<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or InvalidDataException or InvalidOperationException or ArgumentException
            or UnauthorizedAccessException or RefusedException)
        {
            throw new IOException($"{_address} ({_connection.Node}): {e.Message}", e);
        }
    }
}
