using System.Collections.Immutable;
using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Nodes;

/// <summary>What the journal says about a cluster; a pure fold over <see cref="ClusterEvents"/>.</summary>
/// <param name="Term">Take-overs so far.</param>
/// <param name="Current">The run to work on, null when there is none.</param>
/// <param name="Last">Name of the run submitted last, empty before the first.</param>
/// <param name="Outcomes">Runs that have ended and were not submitted again.</param>
/// <param name="Kept">What is kept of the run that ended last, null before the first end.</param>
public sealed record ClusterState(
    long Term,
    ClusterEvents.Submitted? Current,
    string Last,
    ImmutableDictionary<string, RunProtocol.Outcome> Outcomes,
    ClusterEvents.Kept? Kept)
{
    /// <summary>Before the first event.</summary>
    public static readonly ClusterState Empty = new(0, null, "", ImmutableDictionary<string, RunProtocol.Outcome>.Empty, null);

    /// <summary>The state after one more event.</summary>
    public ClusterState Apply(IClusterEvent fact) => fact switch
    {
        ClusterEvents.TookOver e => this with { Term = e.Term },
        ClusterEvents.Submitted e => this with { Current = e, Last = e.Name, Outcomes = Outcomes.Remove(e.Name) },
        ClusterEvents.Ended e => this with { Current = null, Outcomes = Outcomes.SetItem(e.Name, e.Outcome) },
        ClusterEvents.Kept e => this with { Kept = e },
        _ => throw new ArgumentException($"Unknown event {fact.GetType().Name}."),
    };
}
