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
    private readonly RecentCheckpoints _recent = new(keep);

    /// <inheritdoc/>
    public string Commit(RunPosition position, IReadOnlyDictionary<string, string> objects) => describe(position, objects).Write(store);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Objects(string manifest) => CheckpointManifest.Read(store, manifest).Units;

    /// <inheritdoc/>
    public string Export(RunPosition position, IReadOnlyDictionary<string, string> objects) => export(describe(position, objects));

    /// <inheritdoc/>
    public IReadOnlyList<string> Collect(string manifest, IReadOnlyDictionary<string, string> objects)
    {
        var kept = _recent.Add(manifest, objects);
        store.Collect(kept);
        return kept;
    }
}
