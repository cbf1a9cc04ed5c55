using MessagePack;

namespace ActorTrainer.Actors.Protocol;

/// <summary>A fact in the journal of a run. Tensors are never journalled, only hashes of their files.</summary>
public interface IRunEvent : IWire;

/// <summary>The journal of a run, extend-only.</summary>
public static class RunEvents
{
    /// <summary>The run exists.</summary>
    /// <param name="Run">Random id: tells this run from an earlier one of the same name.</param>
    /// <param name="Recipe">Settings that decide the result, one <c>key=value</c> a line; a later start must bring the same.</param>
    [MessagePackObject]
    public sealed record Created(
        [property: Key(0)] string Run,
        [property: Key(1)] string Recipe) : IRunEvent;

    /// <summary>An attempt begins at the last committed checkpoint; steps recorded after it are void.</summary>
    /// <param name="Attempt">Number of the attempt.</param>
    /// <param name="FromStep">Step of the checkpoint.</param>
    /// <param name="Reason">Why, for people.</param>
    /// <param name="Cause">Why, for the decision whether to try again.</param>
    [MessagePackObject]
    public sealed record AttemptStarted(
        [property: Key(0)] int Attempt,
        [property: Key(1)] long FromStep,
        [property: Key(2)] string Reason,
        [property: Key(3)] AttemptCause Cause) : IRunEvent;

    /// <summary>A step was applied on every stage.</summary>
    [MessagePackObject]
    public sealed record StepRecorded(
        [property: Key(0)] int Attempt,
        [property: Key(1)] long Step,
        [property: Key(2)] double Loss,
        [property: Key(3)] double GradientNorm,
        [property: Key(4)] double LearningRate,
        [property: Key(5)] int Sequences,
        [property: Key(6)] double Seconds,
        [property: Key(7)] bool Skipped) : IRunEvent;

    /// <summary>A checkpoint is durable.</summary>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="Step">Step.</param>
    /// <param name="Manifest">Hash of its manifest.</param>
    /// <param name="Objects">Unit name → hash of its state; null in journals of before clusters, where the manifest's file has them.</param>
    [MessagePackObject]
    public sealed record Committed(
        [property: Key(0)] int Attempt,
        [property: Key(1)] long Step,
        [property: Key(2)] string Manifest,
        [property: Key(3)] IReadOnlyDictionary<string, string>? Objects) : IRunEvent;

    /// <summary>The budget is spent and the model exported.</summary>
    [MessagePackObject]
    public sealed record Completed(
        [property: Key(0)] long Step,
        [property: Key(1)] string Export) : IRunEvent;

    /// <summary>The run stopped with a reason; a later start goes on from the last checkpoint.</summary>
    [MessagePackObject]
    public sealed record Failed(
        [property: Key(0)] long Step,
        [property: Key(1)] string Reason) : IRunEvent;
}

/// <summary>Why an attempt begins.</summary>
public enum AttemptCause : byte
{
    /// <summary>Somebody started or resumed the run.</summary>
    Start,

    /// <summary>Something failed in the attempt before: computation, checkpoint, or a stall.</summary>
    Failure,

    /// <summary>A stage, its node or a link was lost.</summary>
    Loss,

    /// <summary>The stages move to other nodes.</summary>
    Move,
}
