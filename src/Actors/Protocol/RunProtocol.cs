using MessagePack;

namespace ActorTrainer.Actors.Protocol;

/// <summary>Messages between whoever starts a run and its coordinator.</summary>
public static class RunProtocol
{
    /// <summary>Begin or go on; answered by one <see cref="Outcome"/> when the run ends.</summary>
    [MessagePackObject]
    public sealed record Start : IWire;

    /// <summary>Finish the step under way, commit a checkpoint and stop.</summary>
    [MessagePackObject]
    public sealed record Stop : IWire;

    /// <summary>Say how far the run is; answered by a <see cref="RunStatus"/>.</summary>
    public sealed record AskStatus : Akka.Actor.INoSerializationVerificationNeeded;

    /// <summary>How a run ended.</summary>
    /// <param name="Kind">Completed, stopped on request, failed or refused.</param>
    /// <param name="Step">Last committed step.</param>
    /// <param name="Message">Reason, for people.</param>
    /// <param name="Export">Folder of the exported model, empty when there is none.</param>
    [MessagePackObject]
    public sealed record Outcome(
        [property: Key(0)] OutcomeKind Kind,
        [property: Key(1)] long Step,
        [property: Key(2)] string Message,
        [property: Key(3)] string Export) : IWire;
}

/// <summary>How a run ended.</summary>
public enum OutcomeKind : byte
{
    Completed,
    Stopped,
    Failed,
    Refused,
}
