namespace ActorTrainer.Actors.Crew;

/// <summary>Which nodes hold copies of which stage's unit states.</summary>
public static class ReplicaChoice
{
    /// <summary>For every seat <paramref name="copies"/> − 1 other nodes, or as many as there are, spread evenly.</summary>
    /// <param name="seats">Names of the nodes that play, in order.</param>
    /// <param name="keepers">Names of the nodes that can hold copies.</param>
    /// <param name="copies">Nodes that hold each state, the stage's own included.</param>
    /// <param name="suspects">Nodes better not linked to each other.</param>
    public static IReadOnlyList<IReadOnlyList<string>> Of(
        IReadOnlyList<string> seats, IReadOnlyList<string> keepers, int copies, IReadOnlySet<NodePair> suspects)
    {
        var names = keepers.Concat(seats).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var load = names.ToDictionary(name => name, _ => 0, StringComparer.Ordinal);
        var chosen = new List<IReadOnlyList<string>>();
        foreach (var seat in seats)
        {
            var own = names.IndexOf(seat);
            var replicas = names.Where(name => name != seat)
                .OrderBy(name => suspects.Contains(new NodePair(seat, name)))
                .ThenBy(name => load[name])
                .ThenBy(name => (names.IndexOf(name) - own + names.Count) % names.Count)
                .Take(Math.Max(0, copies - 1))
                .ToList();
            replicas.ForEach(name => load[name]++);
            chosen.Add(replicas);
        }

        return chosen;
    }
}
