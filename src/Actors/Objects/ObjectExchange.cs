using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Objects;

/// <summary>
/// Unit states of one run, as a stage of it on this node uses them: kept here, brought from other nodes when they are not here or damaged,
/// copied to other nodes when they have been saved. Used by one thread at a time.
/// </summary>
/// <param name="store">Objects of this node.</param>
/// <param name="client">Reaches other nodes; null when all nodes share the folder of the store: nothing is brought, nothing copied.</param>
/// <param name="run">Run id.</param>
public sealed class ObjectExchange(NodeStore store, ObjectClient? client, string run) : IObjectExchange, IObjectStore
{
    private IReadOnlyDictionary<string, IReadOnlyList<string>> _sources = new Dictionary<string, IReadOnlyList<string>>();
    private readonly HashSet<string> _failing = [];
    private IReadOnlyList<string> _replicas = [];
    private long _step;

    /// <inheritdoc/>
    public void Begin(IReadOnlyDictionary<string, IReadOnlyList<string>> sources, IReadOnlyList<string> replicas)
    {
        (_sources, _replicas) = (sources, replicas);
        _failing.Clear();
    }

    /// <inheritdoc/>
    public void BeginSave(long step) => _step = step;

    /// <inheritdoc/>
    public string Put(Action<Stream> write) => store.Put(run, _step, write);

    /// <inheritdoc/>
    public string Verified(string hash)
    {
        try
        {
            return store.Verified(run, hash);
        }
        catch (RefusedException e) when (client is not null)
        {
            Fetch(client, hash, e);
            return store.Verified(run, hash);
        }
    }

    /// <inheritdoc/>
    public void Secure(IEnumerable<string> hashes)
    {
        if (client is null || _replicas.Count == 0)
        {
            return;
        }

        IReadOnlyList<string> all = [.. hashes];
        var failures = client.WithEach(_replicas, (_, link) =>
        {
            foreach (var hash in all)
            {
                link.Push(run, Math.Max(0, store.StepOf(run, hash)), hash, store.PathOf(run, hash));
            }
        });
        if (failures.Count > 0)
        {
            throw new IOException(
                $"copies could not be made: {string.Join("; ", failures.Values.Select(failure => failure.Message))}",
                failures.Values.First());
        }
    }

    private void Fetch(ObjectClient from, string hash, RefusedException here)
    {
        var sources = _sources.GetValueOrDefault(hash, []);
        List<string> said = [here.Message];
        foreach (var address in sources.OrderBy(_failing.Contains)) // a node that does not answer costs its patience once
        {
            try
            {
                from.Fetch(address, run, hash, store);
                return;
            }
            catch (IOException e)
            {
                _failing.Add(address);
                said.Add(e.Message);
            }
        }

        throw new RefusedException(
            $"object {hash} of run {run} is nowhere to be had; {sources.Count} other nodes were to hold it: {string.Join("; ", said)}", here);
    }
}
