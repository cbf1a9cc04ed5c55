using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Crew;

/// <summary>What a <see cref="CrewState"/> wants done.</summary>
public abstract record CrewAction
{
    private CrewAction()
    {
    }

    /// <summary>Ask a node to keep a stage actor ready.</summary>
    public sealed record Ask(KnownNode Node, NodeProtocol.Engage Engage) : CrewAction;

    /// <summary>Tell the coordinator that the crew is complete.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="Plan">Who plays what.</param>
    /// <param name="Players">Answer of each seat's node.</param>
    /// <param name="Addresses">Data-plane address of every node that answered.</param>
    /// <param name="Sources">Hash of an object → data-plane addresses of its holders.</param>
    public sealed record Seat(
        string Run,
        int Attempt,
        PlacementPlan Plan,
        IReadOnlyList<NodeProtocol.Engaged> Players,
        IReadOnlyDictionary<string, string> Addresses,
        IReadOnlyDictionary<string, IReadOnlyList<string>> Sources) : CrewAction;

    /// <summary>Tell the coordinator of the run one of <see cref="CrewProtocol"/>.</summary>
    public sealed record Say(object Message) : CrewAction;
}
