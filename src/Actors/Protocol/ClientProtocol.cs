using ActorTrainer.Actors.Telemetry;
using MessagePack;

namespace ActorTrainer.Actors.Protocol;

/// <summary>
/// Messages between a client (submit, watch, status, stop) and the coordinator singleton. A client sends to the agent of any node, which
/// passes on to the coordinator it follows; answers come straight back. Clients repeat themselves until answered.
/// </summary>
public static class ClientProtocol
{
    /// <summary>Begin or go on with a run.</summary>
    /// <param name="Name">Name of the run.</param>
    /// <param name="Settings">All settings, one <c>key=value</c> a line, as the host resolved them.</param>
    [MessagePackObject]
    public sealed record Submit(
        [property: Key(0)] string Name,
        [property: Key(1)] string Settings) : IWire;

    /// <summary>Answer to <see cref="Submit"/>.</summary>
    /// <param name="Name">Name of the run.</param>
    /// <param name="Refusal">Why not; empty: the run is being worked on.</param>
    [MessagePackObject]
    public sealed record SubmitReply(
        [property: Key(0)] string Name,
        [property: Key(1)] string Refusal) : IWire;

    /// <summary>Send me what happens in a run, for the next seconds; repeated while somebody looks on.</summary>
    [MessagePackObject]
    public sealed record Watch([property: Key(0)] string Name) : IWire;

    /// <summary>Answer to <see cref="Watch"/> of a run that has not ended: the coordinator is there, even when nothing happens.</summary>
    /// <param name="Name">Name of the run.</param>
    /// <param name="Doing">What it is doing, for people.</param>
    [MessagePackObject]
    public sealed record Watching(
        [property: Key(0)] string Name,
        [property: Key(1)] string Doing) : IWire;

    /// <summary>Finish the step under way, commit and stop; answered by <see cref="SubmitReply"/>.</summary>
    [MessagePackObject]
    public sealed record Stop([property: Key(0)] string Name) : IWire;

    /// <summary>Answered by <see cref="Status"/>.</summary>
    [MessagePackObject]
    public sealed record AskStatus : IWire;

    /// <summary>What the cluster is doing.</summary>
    /// <param name="Term">Number of take-overs.</param>
    /// <param name="Coordinator">Name of the coordinator's node.</param>
    /// <param name="Nodes">Nodes, usable or not.</param>
    /// <param name="Run">The run under way or the last one; null when there was none.</param>
    [MessagePackObject]
    public sealed record Status(
        [property: Key(0)] long Term,
        [property: Key(1)] string Coordinator,
        [property: Key(2)] IReadOnlyList<NodeStatus> Nodes,
        [property: Key(3)] RunStatus? Run) : IWire;

    /// <summary>Something that happened in a run.</summary>
    public interface IFeed : IWire
    {
        /// <summary>Name of the run.</summary>
        string Name { get; }
    }

    /// <summary>A line for people.</summary>
    [MessagePackObject]
    public sealed record Notice(
        [property: Key(0)] string Name,
        [property: Key(1)] string Text) : IFeed;

    /// <summary>An attempt begins.</summary>
    [MessagePackObject]
    public sealed record Attempt(
        [property: Key(0)] string Name,
        [property: Key(1)] int Number,
        [property: Key(2)] long FromStep) : IFeed;

    /// <summary>A step is done.</summary>
    [MessagePackObject]
    public sealed record Step(
        [property: Key(0)] string Name,
        [property: Key(1)] StepMetrics Metrics) : IFeed;

    /// <summary>An evaluation is done.</summary>
    [MessagePackObject]
    public sealed record Evaluation(
        [property: Key(0)] string Name,
        [property: Key(1)] EvaluationMetrics Metrics) : IFeed;

    /// <summary>Timings of a step's instructions.</summary>
    [MessagePackObject]
    public sealed record Spans(
        [property: Key(0)] string Name,
        [property: Key(1)] IReadOnlyList<StageSpan> Of) : IFeed;

    /// <summary>Digests after a step.</summary>
    [MessagePackObject]
    public sealed record Digest(
        [property: Key(0)] string Name,
        [property: Key(1)] long StepNumber,
        [property: Key(2)] IReadOnlyList<LayerDigest> Layers) : IFeed;

    /// <summary>A model was exported, on the coordinator's node.</summary>
    [MessagePackObject]
    public sealed record Checkpoint(
        [property: Key(0)] string Name,
        [property: Key(1)] long StepNumber,
        [property: Key(2)] string Path) : IFeed;

    /// <summary>The state after a step is safe.</summary>
    [MessagePackObject]
    public sealed record Commit(
        [property: Key(0)] string Name,
        [property: Key(1)] long StepNumber) : IFeed;

    /// <summary>The run has ended; also the answer to <see cref="Watch"/> of a run that has.</summary>
    [MessagePackObject]
    public sealed record Ended(
        [property: Key(0)] string Name,
        [property: Key(1)] RunProtocol.Outcome Outcome) : IWire;
}

/// <summary>One node in a <see cref="ClientProtocol.Status"/>.</summary>
/// <param name="Node">What it last said of itself.</param>
/// <param name="SecondsSinceBeat">How long ago.</param>
/// <param name="State">usable, lost, spare, stage 1 of 3 …, for people.</param>
[MessagePackObject]
public sealed record NodeStatus(
    [property: Key(0)] NodeReport Node,
    [property: Key(1)] double SecondsSinceBeat,
    [property: Key(2)] string State);

/// <summary>A run in a <see cref="ClientProtocol.Status"/>.</summary>
/// <param name="Name">Name of the run.</param>
/// <param name="State">What it is doing, for people: preparing data, waiting for nodes, step 12 …, completed.</param>
/// <param name="Attempt">Attempts begun.</param>
/// <param name="Step">Steps done.</param>
/// <param name="CommittedStep">Step of the last checkpoint.</param>
/// <param name="Budget">Fraction of the budget used, in [0, 1].</param>
/// <param name="Stages">Each stage: what it computes or whom it waits for.</param>
[MessagePackObject]
public sealed record RunStatus(
    [property: Key(0)] string Name,
    [property: Key(1)] string State,
    [property: Key(2)] int Attempt,
    [property: Key(3)] long Step,
    [property: Key(4)] long CommittedStep,
    [property: Key(5)] double Budget,
    [property: Key(6)] IReadOnlyList<string> Stages) : Akka.Actor.INoSerializationVerificationNeeded; // alone only inside a process
