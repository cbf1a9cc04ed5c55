using System.Collections.Immutable;
using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;

namespace ActorTrainer.Actors.Nodes;

/// <summary>A node as the coordinator knows it.</summary>
/// <param name="Known">What it said of itself, and its agent.</param>
/// <param name="HeardAt">When the last announcement that it answered was sent, in seconds of the coordinator's clock: it lived then.</param>
/// <param name="RoundTrip">Seconds from that announcement to its answer.</param>
/// <param name="Former">Processes of the node that are gone: what they sent may still arrive.</param>
public sealed record NodeEntry(KnownNode Known, double HeardAt, double RoundTrip, ImmutableHashSet<string> Former);

/// <summary>The nodes that have answered announcements of this term; a pure fold over answers and time, in seconds of one monotonic clock.</summary>
/// <param name="Term">Term of the coordinator.</param>
/// <param name="Lease">Seconds without an answer after which a node is lost.</param>
/// <param name="Nodes">Nodes by name.</param>
/// <param name="Sent">When the last announcements were sent, by number.</param>
/// <param name="Number">Last announcement.</param>
public sealed record NodeRegistry(
    long Term,
    double Lease,
    ImmutableSortedDictionary<string, NodeEntry> Nodes,
    ImmutableSortedDictionary<long, double> Sent,
    long Number)
{
    /// <summary>Announcements that are remembered: an answer to an older one is no sign of life.</summary>
    private const int Remembered = 100;

    /// <summary>Nobody has answered yet.</summary>
    public static NodeRegistry Empty(long term, double lease) => new(
        term, lease, ImmutableSortedDictionary.Create<string, NodeEntry>(StringComparer.Ordinal), ImmutableSortedDictionary<long, double>.Empty, 0);

    /// <summary>
    /// An announcement goes out. When the last one is long ago it was the coordinator that was not there: its nodes had nothing to answer,
    /// and get that time on top.
    /// </summary>
    /// <param name="now">Now.</param>
    /// <param name="interval">Seconds between announcements.</param>
    public NodeRegistry Announced(double now, double interval)
    {
        var asleep = Sent.Count == 0 ? 0 : now - Sent[Number] - interval;
        var nodes = asleep > Lease / 3
            ? Nodes.ToImmutableSortedDictionary(n => n.Key, n => n.Value with { HeardAt = n.Value.HeardAt + asleep }, StringComparer.Ordinal)
            : Nodes;
        return this with { Number = Number + 1, Sent = Sent.Remove(Number - Remembered).Add(Number + 1, now), Nodes = nodes };
    }

    /// <summary>A node has answered.</summary>
    public NodeRegistry Heard(NodeProtocol.Beat beat, IActorRef agent, double now)
    {
        if (beat.Term != Term || !Sent.TryGetValue(beat.Number, out var sent))
        {
            return this;
        }

        var known = new KnownNode(beat.Node, agent);
        if (!Nodes.TryGetValue(beat.Node.Name, out var entry))
        {
            return With(new NodeEntry(known, sent, now - sent, []));
        }

        if (entry.Known.Report.Incarnation == beat.Node.Incarnation)
        {
            return sent < entry.HeardAt ? this : With(entry with { Known = known, HeardAt = sent, RoundTrip = now - sent });
        }

        return entry.Former.Contains(beat.Node.Incarnation)
            ? this
            : With(new NodeEntry(known, sent, now - sent, entry.Former.Add(entry.Known.Report.Incarnation)));
    }

    /// <summary>Nodes that answer, by name.</summary>
    public IReadOnlyList<KnownNode> Usable(double now) => [.. Nodes.Values.Where(entry => IsUsable(entry, now)).Select(entry => entry.Known)];

    /// <summary>Whether a node answers.</summary>
    public bool IsUsable(NodeEntry entry, double now) => now - entry.HeardAt <= Lease;

    /// <summary>Addresses of nodes that have answered not long ago: worth an announcement even when no list of members names them.</summary>
    /// <param name="now">Now.</param>
    /// <param name="memory">Seconds to go on.</param>
    public IEnumerable<Address> Addresses(double now, double memory) =>
        Nodes.Values.Where(entry => now - entry.HeardAt <= memory).Select(entry => entry.Known.Agent.Path.Address);

    private NodeRegistry With(NodeEntry entry) => this with { Nodes = Nodes.SetItem(entry.Known.Report.Name, entry) };
}
