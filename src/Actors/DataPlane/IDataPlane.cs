using ActorTrainer.Actors.Protocol;
using Akka.Actor;

namespace ActorTrainer.Actors.DataPlane;

/// <summary>Moves payloads between stages, beside the actors' own messages: a payload arrives as <see cref="Arrived"/>.</summary>
public interface IDataPlane
{
    /// <summary>Tells where a stage lives.</summary>
    void Register(int stage, IActorRef actor);

    /// <summary>Sends without blocking; the payload belongs to the data plane from here on.</summary>
    void Send(int toStage, TransferKey key, IPayload payload);
}

/// <summary>A payload has arrived; it belongs to the receiver. Local to a process: payloads cross borders in their own wire format.</summary>
/// <param name="Key">What it is.</param>
/// <param name="Payload">The content.</param>
public sealed record Arrived(TransferKey Key, IPayload Payload) : INoSerializationVerificationNeeded;
