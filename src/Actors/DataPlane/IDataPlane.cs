using ActorTrainer.Actors.Protocol;
using Akka.Actor;

namespace ActorTrainer.Actors.DataPlane;

/// <summary>Moves payloads between stages, beside the actors' own messages: a payload arrives as <see cref="Arrived"/>.</summary>
public interface IDataPlane
{
    /// <summary>The batch dealer's place among the stages.</summary>
    const int Dealer = -1;

    /// <summary>
    /// A stage (or <see cref="Dealer"/>) takes part in an attempt: what arrives for it in this attempt goes to <paramref name="receiver"/>,
    /// and so does <see cref="LinkLost"/>. Its part in earlier attempts of the run ends: what was still to be sent or arrives late is dropped.
    /// </summary>
    /// <param name="run">Run id.</param>
    /// <param name="attempt">Attempt.</param>
    /// <param name="stage">0-based stage, or <see cref="Dealer"/>.</param>
    /// <param name="receiver">Its actor.</param>
    /// <param name="peers">Data-plane address of every stage, in order; empty inside one process.</param>
    void Join(string run, int attempt, int stage, IActorRef receiver, IReadOnlyList<string> peers);

    /// <summary>Sends without blocking; the payload belongs to the data plane from here on. Called from any thread.</summary>
    /// <param name="from">Stage that sends, which has joined the attempt of <paramref name="key"/>; else the payload is dropped.</param>
    /// <param name="to">Stage that receives.</param>
    /// <param name="key">What it is.</param>
    /// <param name="payload">The content.</param>
    void Send(int from, int to, TransferKey key, IPayload payload);
}

/// <summary>A payload has arrived; it belongs to the receiver. Local to a process: payloads cross borders in their own wire format.</summary>
/// <param name="Key">What it is.</param>
/// <param name="Payload">The content.</param>
public sealed record Arrived(TransferKey Key, IPayload Payload) : INoSerializationVerificationNeeded;

/// <summary>The link to a peer's node broke and was given up.</summary>
/// <param name="Run">Run id.</param>
/// <param name="Attempt">Attempt.</param>
/// <param name="Peer">A stage at the other end.</param>
/// <param name="Reason">What happened, with the address.</param>
public sealed record LinkLost(string Run, int Attempt, int Peer, string Reason) : INoSerializationVerificationNeeded;
