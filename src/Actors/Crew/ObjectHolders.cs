using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Crew;

/// <summary>Who was known to hold which object, to name those that a run must wait for.</summary>
internal sealed class ObjectHolders
{
    private readonly Dictionary<string, SortedSet<string>> _byHash = [];

    /// <summary>Takes over a node's own word.</summary>
    public void Note(NodeProtocol.Engaged answer)
    {
        foreach (var hash in answer.Holds)
        {
            Of(hash).Add(answer.Node.Name);
        }
    }

    /// <summary>Objects that are new since the last plan were committed under it: by the seat of their unit and its replicas.</summary>
    public void NoteCommitted(IReadOnlyDictionary<string, string> objects, IReadOnlyList<string> units, PlacementPlan plan)
    {
        foreach (var stage in plan.Stages)
        {
            foreach (var unit in stage.Units)
            {
                if (objects.TryGetValue(units[unit], out var hash) && !_byHash.ContainsKey(hash))
                {
                    Of(hash).UnionWith([stage.Node, .. stage.Replicas]);
                }
            }
        }
    }

    /// <summary>Forgets all other objects.</summary>
    public void Retain(IEnumerable<string> hashes)
    {
        var kept = hashes.ToHashSet();
        foreach (var hash in _byHash.Keys.Where(hash => !kept.Contains(hash)).ToList())
        {
            _byHash.Remove(hash);
        }
    }

    /// <summary>Units whose objects nobody who answered holds, with the nodes that held them; null when all are there.</summary>
    public string? Missing(IReadOnlyDictionary<string, string> objects, IEnumerable<string> units, IReadOnlyCollection<NodeProtocol.Engaged> answers)
    {
        var there = answers.SelectMany(answer => answer.Holds).ToHashSet();
        var missing = units.Where(unit => objects.TryGetValue(unit, out var hash) && !there.Contains(hash)).ToList();
        if (missing.Count == 0)
        {
            return null;
        }

        var groups = missing.GroupBy(unit => _byHash.TryGetValue(objects[unit], out var names) ? string.Join(", ", names) : "");
        var text = groups.Select(group => $"{string.Join(", ", group)} ({(group.Key.Length > 0 ? $"held by {group.Key}" : "held by none of the nodes seen so far")})");
        return $"no node that answers holds the committed state of {string.Join("; ", text)}: start a node that does";
    }

    private SortedSet<string> Of(string hash)
    {
        if (!_byHash.TryGetValue(hash, out var names))
        {
            _byHash[hash] = names = new SortedSet<string>(StringComparer.Ordinal);
        }

        return names;
    }
}
