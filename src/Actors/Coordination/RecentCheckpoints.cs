namespace ActorTrainer.Actors.Coordination;

/// <summary>Remembers the newest checkpoints of a run.</summary>
/// <param name="keep">How many, at least 1.</param>
internal sealed class RecentCheckpoints(int keep)
{
    private readonly List<(string Manifest, IReadOnlyDictionary<string, string> Objects)> _recent = [];

    /// <summary>Adds the newest; the oldest is forgotten when there are too many.</summary>
    /// <returns>Hashes of all manifests and objects remembered.</returns>
    public IReadOnlyList<string> Add(string manifest, IReadOnlyDictionary<string, string> objects)
    {
        _recent.RemoveAll(checkpoint => checkpoint.Manifest == manifest);
        _recent.Add((manifest, objects));
        while (_recent.Count > Math.Max(1, keep))
        {
            _recent.RemoveAt(0);
        }

        return [.. _recent.SelectMany(checkpoint => checkpoint.Objects.Values.Append(checkpoint.Manifest)).Distinct()];
    }
}
