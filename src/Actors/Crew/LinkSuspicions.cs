namespace ActorTrainer.Actors.Crew;

/// <summary>Links that broke while both nodes lived. A node that goes away explains it all, so it and its successor are not suspected.</summary>
internal sealed class LinkSuspicions
{
    private readonly List<(NodePair Pair, double Until)> _known = [];

    /// <summary>When the next suspicion ends, seconds; null when there is none.</summary>
    public double? NextEnd => _known.Count == 0 ? null : _known.Min(s => s.Until);

    /// <summary>Suspects the link between two nodes.</summary>
    public void Add(NodePair pair, double until)
    {
        if (pair.First != pair.Second)
        {
            _known.RemoveAll(s => s.Pair == pair);
            _known.Add((pair, until));
        }
    }

    /// <summary>Clears a node that has gone, or comes back as a new process.</summary>
    public void Forget(string node) => _known.RemoveAll(s => s.Pair.First == node || s.Pair.Second == node);

    /// <summary>Links suspected now.</summary>
    public IReadOnlySet<NodePair> At(double now)
    {
        _known.RemoveAll(s => s.Until <= now);
        return _known.Select(s => s.Pair).ToHashSet();
    }
}
