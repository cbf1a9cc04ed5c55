using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Telemetry;
using MessagePack;

namespace ActorTrainer.Actors.Protocol;

/// <summary>Messages between the coordinator and a stage. Tensors are not among them: they travel on the data plane.</summary>
public static class StageProtocol
{
    /// <summary>Become stage <paramref name="Stage"/> of <paramref name="Stages"/>: build or load the units of the stage's parts.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt that begins.</param>
    /// <param name="Stage">0-based stage.</param>
    /// <param name="Stages">Stages of the pipeline.</param>
    /// <param name="PartSizes">Units of every part of the model, in order; part i lies on stage i mod <paramref name="Stages"/>.</param>
    /// <param name="Recipe">Settings that only the stage's computation understands (JSON).</param>
    /// <param name="Objects">
    /// Unit name → hash of its committed state, none: initial weights; and under <c>base/UNIT</c> the pre-trained weights that are loaded first.
    /// </param>
    /// <param name="Schedule">Order of forwards and backwards in a training step.</param>
    /// <param name="StallTimeout">Seconds to wait for one transfer before the coordinator is told.</param>
    /// <param name="Peers">Data-plane address of every stage, in order; empty inside one process.</param>
    /// <param name="Sources">Hash of an object → data-plane addresses of nodes that hold it; empty when all stages share one store.</param>
    /// <param name="Replicas">Data-plane addresses of the nodes that must hold copies of this stage's unit states.</param>
    /// <param name="Tied">Whether the head's decoder is the embedding's table.</param>
    [MessagePackObject]
    public sealed record Prepare(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] int Stage,
        [property: Key(3)] int Stages,
        [property: Key(4)] IReadOnlyList<int> PartSizes,
        [property: Key(5)] string Recipe,
        [property: Key(6)] IReadOnlyDictionary<string, string> Objects,
        [property: Key(7)] ScheduleKind Schedule,
        [property: Key(8)] double StallTimeout,
        [property: Key(9)] IReadOnlyList<string> Peers,
        [property: Key(10)] IReadOnlyDictionary<string, IReadOnlyList<string>> Sources,
        [property: Key(11)] IReadOnlyList<string> Replicas,
        [property: Key(12)] bool Tied = true) : IAttemptMessage
    {
        /// <summary>Which part of the model is where.</summary>
        [IgnoreMember]
        public PipelineTopology Topology => new(Stages, PartSizes.Count / Stages);
    }

    /// <summary>The stage holds its units and waits for a step.</summary>
    [MessagePackObject]
    public sealed record Ready(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] int Stage) : IAttemptMessage;

    /// <summary>Run one step, or one evaluation.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="Step">1-based step.</param>
    /// <param name="Phase">Training or evaluation.</param>
    /// <param name="MicroBatches">Micro-batches of the step.</param>
    /// <param name="Scale">Factor of every micro-batch's summed loss: 1 / targets of the whole step.</param>
    /// <param name="Digest">Report digests after the update.</param>
    /// <param name="Spans">Report the timing of every instruction.</param>
    [MessagePackObject]
    public sealed record RunStep(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] long Step,
        [property: Key(3)] Phase Phase,
        [property: Key(4)] int MicroBatches,
        [property: Key(5)] double Scale,
        [property: Key(6)] bool Digest,
        [property: Key(7)] bool Spans) : IAttemptMessage;

    /// <summary>All gradients of the step are there.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="Step">Step.</param>
    /// <param name="Stage">Stage.</param>
    /// <param name="UnitNorms">Unit index → squared L2 norm of each parameter's gradient, in canonical order.</param>
    /// <param name="Loss">Sum of the scaled losses on the head's stage, NaN elsewhere.</param>
    /// <param name="NonFinite">First micro-batch whose forward gave NaN or infinity on this stage, −1 for none.</param>
    /// <param name="Hidden">Norms and loss are encrypted: there is nothing to judge the step by.</param>
    [MessagePackObject]
    public sealed record GradientsReady(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] long Step,
        [property: Key(3)] int Stage,
        [property: Key(4)] IReadOnlyDictionary<int, double[]> UnitNorms,
        [property: Key(5)] double Loss,
        [property: Key(6)] int NonFinite,
        [property: Key(7)] bool Hidden = false) : IAttemptMessage;

    /// <summary>Apply the optimiser, or drop the gradients when <paramref name="Skip"/>.</summary>
    [MessagePackObject]
    public sealed record Update(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] long Step,
        [property: Key(3)] double LearningRate,
        [property: Key(4)] double ClipFactor,
        [property: Key(5)] bool Skip) : IAttemptMessage;

    /// <summary>The stage has run its whole program.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="Step">Step.</param>
    /// <param name="Phase">Training or evaluation.</param>
    /// <param name="Stage">Stage.</param>
    /// <param name="Busy">Seconds inside forwards and backwards.</param>
    /// <param name="First">Start of the first forward, seconds on the run clock.</param>
    /// <param name="Last">End of the last forward or backward, seconds on the run clock.</param>
    /// <param name="Score">Evaluation sums on the head's stage, else null.</param>
    /// <param name="Digests">Digests of the stage's units, empty unless asked for.</param>
    /// <param name="Spans">Timings of the instructions, empty unless asked for.</param>
    /// <param name="Working">Seconds inside all instructions.</param>
    /// <param name="Outside">What was waited for in them.</param>
    [MessagePackObject]
    public sealed record StepDone(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] long Step,
        [property: Key(3)] Phase Phase,
        [property: Key(4)] int Stage,
        [property: Key(5)] double Busy,
        [property: Key(6)] double First,
        [property: Key(7)] double Last,
        [property: Key(8)] EvaluationScore? Score,
        [property: Key(9)] IReadOnlyList<LayerDigest> Digests,
        [property: Key(10)] IReadOnlyList<StageSpan> Spans,
        [property: Key(11)] double Working = 0,
        [property: Key(12)] OutsideWork Outside = default) : IAttemptMessage;

    /// <summary>Write the state of every unit to the store.</summary>
    [MessagePackObject]
    public sealed record Save(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] long Step) : IAttemptMessage;

    /// <summary>The units' states are durable under these hashes.</summary>
    [MessagePackObject]
    public sealed record Saved(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] long Step,
        [property: Key(3)] int Stage,
        [property: Key(4)] IReadOnlyDictionary<string, string> Objects) : IAttemptMessage;

    /// <summary>An instruction failed; the attempt is lost.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="Step">Step.</param>
    /// <param name="Stage">Stage, −1 for the batch dealer.</param>
    /// <param name="Doing">Instruction.</param>
    /// <param name="Reason">What went wrong.</param>
    /// <param name="Outside">True: another node or the disk failed it, not what was computed.</param>
    [MessagePackObject]
    public sealed record Failed(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] long Step,
        [property: Key(3)] int Stage,
        [property: Key(4)] string Doing,
        [property: Key(5)] string Reason,
        [property: Key(6)] bool Outside = false) : IAttemptMessage;

    /// <summary>The link to a peer is lost and was given up; the attempt cannot go on.</summary>
    [MessagePackObject]
    public sealed record LinkDown(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] int Stage,
        [property: Key(3)] int Peer,
        [property: Key(4)] string Reason) : IAttemptMessage;

    /// <summary>The stage has waited longer than the stall time-out for one transfer.</summary>
    [MessagePackObject]
    public sealed record Waiting(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] long Step,
        [property: Key(3)] int Stage) : IAttemptMessage;

    /// <summary>Say what you are doing.</summary>
    [MessagePackObject]
    public sealed record AskStatus(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt) : IAttemptMessage;

    /// <summary>What a stage is doing.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="Step">Step.</param>
    /// <param name="Stage">Stage.</param>
    /// <param name="Busy">True: computing; false: waiting.</param>
    /// <param name="Seconds">For how long.</param>
    /// <param name="Text">Instruction, micro-batch and, when waiting, whom it waits for.</param>
    /// <param name="Silent">Seconds since it last was seen to make progress; at most <paramref name="Seconds"/>.</param>
    [MessagePackObject]
    public sealed record Status(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] long Step,
        [property: Key(3)] int Stage,
        [property: Key(4)] bool Busy,
        [property: Key(5)] double Seconds,
        [property: Key(6)] string Text,
        [property: Key(7)] double Silent) : IAttemptMessage;
}

/// <summary>Sums over the targets of an evaluation.</summary>
/// <param name="LossSum">Sum of −ln p of the right tokens or classes; of squared errors for real numbers.</param>
/// <param name="Correct">Targets predicted right.</param>
/// <param name="Targets">Number of targets.</param>
/// <param name="Outputs">The head's outputs for all targets in order, target by target; null or empty where they are too many, as for tokens.</param>
[MessagePackObject]
public sealed record EvaluationScore(
    [property: Key(0)] double LossSum,
    [property: Key(1)] long Correct,
    [property: Key(2)] long Targets,
    [property: Key(3)] float[]? Outputs = null);
