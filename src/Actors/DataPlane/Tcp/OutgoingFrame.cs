using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>A payload on its way, kept until the receiver has acknowledged it.</summary>
/// <param name="Sequence">Number in its session, from 1.</param>
/// <param name="End">Payload bytes of the session up to and including this one.</param>
/// <param name="To">Stage that receives it.</param>
/// <param name="Key">What it is.</param>
/// <param name="Payload">The content.</param>
/// <param name="Size">Its bytes.</param>
internal sealed record OutgoingFrame(long Sequence, long End, int To, TransferKey Key, IPayload Payload, long Size);
