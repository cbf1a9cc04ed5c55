using Akka.Actor;

namespace ActorTrainer.Actors.Protocol;

/// <summary>
/// Messages between the coordinator of a run and its crew, which knows where stages live. Both are in one process, so these never cross
/// the wire.
/// </summary>
public static class CrewProtocol
{
    /// <summary>Find a stage actor for every stage of a new attempt; answered by <see cref="Assembled"/> or <see cref="Impossible"/>, in the meantime by <see cref="Waiting"/>.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt that begins; what was assembled for an earlier one is void.</param>
    /// <param name="Objects">Unit name → hash of its committed state; empty: initial weights.</param>
    public sealed record Assemble(string Run, int Attempt, IReadOnlyDictionary<string, string> Objects) : INoSerializationVerificationNeeded;

    /// <summary>The crew of an attempt.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="PartSizes">Units of every part of the model, in order; part i lies on stage i mod number of seats.</param>
    /// <param name="Seats">The stages, in order.</param>
    /// <param name="Sources">Hash of an object → data-plane addresses of nodes that hold it; empty when all stages share one store.</param>
    public sealed record Assembled(
        string Run,
        int Attempt,
        IReadOnlyList<int> PartSizes,
        IReadOnlyList<Seat> Seats,
        IReadOnlyDictionary<string, IReadOnlyList<string>> Sources) : INoSerializationVerificationNeeded;

    /// <summary>Who plays one stage.</summary>
    /// <param name="Actor">The stage actor.</param>
    /// <param name="Node">Name of its node, for people.</param>
    /// <param name="Address">Data-plane address of its node, empty inside one process.</param>
    /// <param name="Replicas">Data-plane addresses of the nodes that must hold copies of this stage's unit states.</param>
    public sealed record Seat(IActorRef Actor, string Node, string Address, IReadOnlyList<string> Replicas);

    /// <summary>No crew yet; the reason, for people. Said once for each reason.</summary>
    public sealed record Waiting(string Run, int Attempt, string Reason) : INoSerializationVerificationNeeded;

    /// <summary>There can be no crew: the run is refused with the numbers.</summary>
    public sealed record Impossible(string Run, int Attempt, string Reason) : INoSerializationVerificationNeeded;

    /// <summary>A seat of the attempt is lost, by no fault of what it computed.</summary>
    public sealed record Lost(string Run, int Attempt, string Reason) : INoSerializationVerificationNeeded;

    /// <summary>A better crew is at hand: commit at the next step boundary and begin a new attempt.</summary>
    public sealed record Changed(string Run, int Attempt, string Reason) : INoSerializationVerificationNeeded;

    /// <summary>The link between two nodes broke: better not make them peers again for a while.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="NodeA">Name of a node; empty: the coordinator's, which deals the batches.</param>
    /// <param name="NodeB">Name of the other one.</param>
    public sealed record Suspect(string Run, int Attempt, string NodeA, string NodeB) : INoSerializationVerificationNeeded;

    /// <summary>How long the stages computed in a step, for placement by measured speed.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="Busy">Seconds inside forwards and backwards, by stage.</param>
    public sealed record Measured(string Run, int Attempt, IReadOnlyList<double> Busy) : INoSerializationVerificationNeeded;

    /// <summary>The run has ended, or nothing before <paramref name="Step"/> is needed: what is not in <paramref name="Hashes"/> may go.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Step">Step of the newest checkpoint; objects of later saves stay.</param>
    /// <param name="Hashes">Objects of the checkpoints that are kept.</param>
    /// <param name="Ended">True: the stages may go too.</param>
    public sealed record Keep(string Run, long Step, IReadOnlyList<string> Hashes, bool Ended) : INoSerializationVerificationNeeded;
}
