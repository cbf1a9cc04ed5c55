using ActorTrainer.Model.Checkpoints;

namespace ActorTrainer.Actors.Coordination;

/// <summary>Checkpoints in the run's folder: unit states and manifests in a content store, models as folders.</summary>
/// <param name="store">Content-addressed files.</param>
/// <param name="describe">Makes the manifest of a position and its objects.</param>
/// <param name="export">Writes the model folder of a manifest and returns its path.</param>
/// <param name="keep">Checkpoints to keep, at least 1.</param>
public sealed class FileCheckpoints(
    ContentStore store,
    Func<RunPosition, IReadOnlyDictionary<string, string>, CheckpointManifest> describe,
    Func<CheckpointManifest, string> export,
    int keep) : ICheckpoints
{
    private readonly List<string> _recent = [];

    /// <inheritdoc/>
    public string Commit(RunPosition position, IReadOnlyDictionary<string, string> objects) => describe(position, objects).Write(store);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Objects(string manifest)
    {
        Remember(manifest);
        return CheckpointManifest.Read(store, manifest).Units;
    }

    /// <inheritdoc/>
    public string Export(string manifest, long step) => export(CheckpointManifest.Read(store, manifest));

    /// <inheritdoc/>
    public void Collect(string manifest)
    {
        Remember(manifest);
        while (_recent.Count > Math.Max(1, keep))
        {
            _recent.RemoveAt(0);
        }

        store.Collect([.. _recent.SelectMany(hash => CheckpointManifest.Read(store, hash).Units.Values.Append(hash)).Distinct()]);
    }

    private void Remember(string manifest)
    {
        _recent.Remove(manifest);
        _recent.Add(manifest);
    }
}
