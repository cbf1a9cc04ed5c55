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
/// <param name="pretrained">What the run begins with, brought into the store when its id is known; null: nothing.</param>
public sealed class ClusterCheckpoints(
    NodeStore store,
    ObjectClient? client,
    Func<IReadOnlyList<string>> addresses,
    Func<RunPosition, IReadOnlyDictionary<string, string>, CheckpointManifest> describe,
    Func<CheckpointManifest, IObjectStore, string> export,
    int keep,
    PretrainedObjects? pretrained = null) : ICheckpoints
{
    private readonly RecentCheckpoints _recent = new(keep);
    private volatile string _run = "";

    /// <summary>Objects of the run, brought here when another node holds them; for reading, by any thread.</summary>
    public IObjectStore Reader => new Anywhere(this);

    /// <inheritdoc/>
    /// <remarks>Copies the pre-trained weights that the store does not hold.</remarks>
    public void Begin(string run)
    {
        _run = run;
        if (pretrained is null)
        {
            return;
        }

        IReadOnlyList<string> hashes = [.. pretrained.Units.Values.Distinct()];
        foreach (var hash in hashes.Except(store.Holds(run, hashes)))
        {
            using var file = File.OpenRead(pretrained.Store.Verified(hash));
            store.Receive(run, ContentStore.NoGeneration, hash, file.Length, file);
        }
    }

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

    private sealed class Anywhere(ClusterCheckpoints checkpoints) : IObjectStore
    {
        public string Put(Action<Stream> write) => throw new NotSupportedException("The objects of a run's checkpoints can only be read here.");

        public string Verified(string hash)
        {
            try
            {
                return checkpoints.Here(hash);
            }
            catch (RefusedException)
            {
                return checkpoints.Everywhere([hash]).Verified(hash); // asks the other nodes
            }
        }
    }

    private string Here(string hash) => store.Verified(_run, hash);
}
