using ActorTrainer.Actors.DataPlane.Peers;

namespace ActorTrainer.Actors.Objects;

/// <summary>Asks other nodes for objects and gives them some. Members block; several threads may use them at a time.</summary>
/// <param name="network">Connections.</param>
/// <param name="maxBytes">Largest object taken.</param>
/// <param name="patience">How long to wait for a connection, and for the next bytes of an answer; the other side may have to read or write a whole object on disk in that time.</param>
public sealed class ObjectClient(IPeerNetwork network, long maxBytes, TimeSpan patience)
{
    /// <summary>Opens a connection for several questions.</summary>
    /// <exception cref="IOException">There is nobody, no admission, or the address is none.</exception>
    public ObjectLink Connect(string address)
    {
        try
        {
            return new ObjectLink(network.Connect(address, PeerPurpose.Objects, patience), address, maxBytes, patience);
        }
        catch (Exception e) when (e is not IOException)
        {
            throw new IOException($"{address}: {e.Message}", e);
        }
    }

    /// <inheritdoc cref="ObjectLink.Holds"/>
    public IReadOnlyList<string> Holds(string address, string run, IEnumerable<string> hashes)
    {
        using var link = Connect(address);
        return link.Holds(run, hashes);
    }

    /// <inheritdoc cref="ObjectLink.Fetch"/>
    public void Fetch(string address, string run, string hash, NodeStore into)
    {
        using var link = Connect(address);
        link.Fetch(run, hash, into);
    }

    /// <inheritdoc cref="ObjectLink.Push"/>
    public void Push(string address, string run, long step, string hash, string path)
    {
        using var link = Connect(address);
        link.Push(run, step, hash, path);
    }

    /// <summary>Does the same with several nodes at once, each on a thread of its own; returns when all are done.</summary>
    /// <returns>Address → why it failed, of those that did.</returns>
    public IReadOnlyDictionary<string, Exception> WithEach(IEnumerable<string> addresses, Action<string, ObjectLink> work)
    {
        Dictionary<string, Exception> failures = [];
        var threads = addresses.Distinct().Select(address => new Thread(() => Try(address)) { IsBackground = true, Name = $"objects-{address}" }).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return failures;

        void Try(string address)
        {
            try
            {
                using var link = Connect(address);
                work(address, link);
            }
            catch (Exception e)
            {
                lock (failures)
                {
                    failures[address] = e;
                }
            }
        }
    }
}
