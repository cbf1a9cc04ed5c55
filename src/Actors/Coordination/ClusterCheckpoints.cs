using ActorTrainer.Actors.Objects;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Coordination;

/// <summary>
/// Checkpoints of a run whose unit states lie on several nodes: the manifest on the coordinator's node, which brings the rest there when a
/// model is exported.
/// </summary>
/// <param name="store">Objects of the coordinator's node.</param>
/// <param name="client">Reaches other nodes; null when all nodes share the folder of the store.</param>
/// <param name="addresses">Data-plane addresses of the other nodes known now.</param>
/// <param name="describe">Makes the manifest of a position and its objects.</param>
/// <param name="export">Writes the model folder of a manifest and returns its path.</param>
/// <param name="keep">Checkpoints to keep, at least 1.</param>
public sealed class ClusterCheckpoints(
    NodeStore store,
    ObjectClient? client,
    Func<IReadOnlyList<string>> addresses,
    Func<RunPosition, IReadOnlyDictionary<string, string>, CheckpointManifest> describe,
    Func<CheckpointManifest, IObjectStore, string> export,
    int keep) : ICheckpoints
{
    private readonly RecentCheckpoints _recent = new(keep);
    private volatile string _run = "";

    /// <inheritdoc/>
    public void Begin(string run) => _run = run;

    /// <inheritdoc/>
    public string Commit(RunPosition position, IReadOnlyDictionary<string, string> objects) =>
        store.Put(_run, position.Step, stream => stream.Write(describe(position, objects).ToJson()));

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Objects(string manifest)
    {
        var path = Everywhere([manifest]).Verified(manifest);
        return CheckpointManifest.Parse(File.ReadAllBytes(path), path).Units;
    }

    /// <inheritdoc/>
    /// <exception cref="RefusedException">An object is nowhere to be had; the message says where it was looked for.</exception>
    public string Export(RunPosition position, IReadOnlyDictionary<string, string> objects) =>
        export(describe(position, objects), Everywhere(objects.Values));

    /// <inheritdoc/>
    public IReadOnlyList<string> Collect(string manifest, IReadOnlyDictionary<string, string> objects)
    {
        var kept = _recent.Add(manifest, objects);
        store.Keep(_run, store.StepOf(_run, manifest), kept);
        return kept;
    }

    /// <summary>The objects on this node, and those of them on other nodes that answer.</summary>
    private ObjectExchange Everywhere(IEnumerable<string> hashes)
    {
        var exchange = new ObjectExchange(store, client, _run);
        if (client is not null)
        {
            exchange.Begin(Sources(client, [.. hashes.Distinct()]), []);
        }

        return exchange;
    }

    private Dictionary<string, IReadOnlyList<string>> Sources(ObjectClient from, IReadOnlyList<string> hashes)
    {
        List<(string Hash, string Address)> found = [];
        var silent = from.WithEach(addresses(), (address, link) =>
        {
            var held = link.Holds(_run, hashes);
            lock (found)
            {
                found.AddRange(held.Select(hash => (hash, address)));
            }
        });

        // Who could not be asked may still hold something: tried last, and named when all fails.
        var holders = found.ToLookup(pair => pair.Hash, pair => pair.Address);
        return hashes.ToDictionary(hash => hash, hash => (IReadOnlyList<string>)[.. holders[hash], .. silent.Keys]);
    }
}
