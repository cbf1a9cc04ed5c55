using System.Collections.Immutable;
using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Crew;

/// <summary>
/// How fast nodes are: their own benchmark, corrected by what stages took in steps. A step tells how its nodes compare, not how fast they
/// are at all: micro-batches differ in number and size. So the node that does best against its benchmark is taken at its word, and the
/// others get less.
/// </summary>
public sealed class NodeSpeeds
{
    /// <summary>Share of the newest step in the average.</summary>
    public const double Weight = 0.25;

    /// <summary>A node counts as at least this share of its benchmark: one long pause must not put it aside for ever.</summary>
    public const double Least = 0.02;

    /// <summary>Nothing measured.</summary>
    public static readonly NodeSpeeds None = new(ImmutableDictionary<string, (string, double)>.Empty);

    private readonly ImmutableDictionary<string, (string Incarnation, double Share)> _shares;

    private NodeSpeeds(ImmutableDictionary<string, (string Incarnation, double Share)> shares) => _shares = shares;

    /// <summary>Measured share of a node's benchmark, in (0, 1]; 1 for a process that was not measured.</summary>
    public double Share(NodeReport node) => _shares.TryGetValue(node.Name, out var known) && known.Incarnation == node.Incarnation ? known.Share : 1;

    /// <summary>Speed of each node relative to the fastest benchmark among them.</summary>
    public IReadOnlyDictionary<string, double> Relative(IReadOnlyCollection<NodeReport> nodes)
    {
        var fastest = nodes.Select(Benchmark).Where(speed => speed > 0).DefaultIfEmpty(1).Max();
        return nodes.ToDictionary(node => node.Name, node => (Benchmark(node) is > 0 and var speed ? speed / fastest : 1) * Share(node), StringComparer.Ordinal);
    }

    /// <summary>With one more step.</summary>
    /// <param name="seats">The stages' nodes, with the seconds that a micro-batch takes there on a node of speed 1.</param>
    /// <param name="busy">Seconds inside forwards and backwards, by stage.</param>
    public NodeSpeeds After(IReadOnlyList<(NodeReport Node, double Seconds)> seats, IReadOnlyList<double> busy)
    {
        if (seats.Count < 2 || seats.Count != busy.Count || seats.Any(s => !(s.Seconds > 0)) || busy.Any(b => !(b > 0 && double.IsFinite(b))))
        {
            return this; // nothing to compare
        }

        var relative = Relative([.. seats.Select(s => s.Node)]);
        var reached = seats.Select((s, i) => s.Seconds / busy[i] / (relative[s.Node.Name] / Share(s.Node))).ToList();
        var best = reached.Max();
        return new NodeSpeeds(_shares.SetItems(seats.Select((s, i) => KeyValuePair.Create(
            s.Node.Name, (s.Node.Incarnation, Math.Max(Least, (1 - Weight) * Share(s.Node) + Weight * reached[i] / best))))));
    }

    private static double Benchmark(NodeReport node) => double.IsFinite(node.Speed) ? node.Speed : 0;
}
