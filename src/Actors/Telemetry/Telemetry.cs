using System.Text.Json.Serialization;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using MessagePack;

namespace ActorTrainer.Actors.Telemetry;

/// <summary>One instruction as a stage timed it.</summary>
/// <param name="Start">Seconds since the process's run clock started, monotonic.</param>
/// <param name="End">Seconds on the same clock.</param>
/// <param name="Waited">Seconds in between in which it waited for somebody outside: see <see cref="OutsideWork"/>.</param>
[MessagePackObject]
public readonly record struct StageSpan(
    [property: Key(0)] int Stage,
    [property: Key(1)] long Step,
    [property: Key(2)] Instruction Instruction,
    [property: Key(3)] double Start,
    [property: Key(4)] double End,
    [property: Key(5)] double Waited = 0);

/// <summary>Busy and idle time of one stage in one step, in seconds.</summary>
/// <param name="Busy">Time inside forwards and backwards.</param>
/// <param name="Window">Time from the step's first forward on any stage to its last backward on any stage.</param>
/// <param name="Computed">Of a stage that waits for somebody outside: time inside all instructions, the optimiser's too, without those waits; else zero.</param>
/// <param name="Waited">Those waits: see <see cref="OutsideWork"/>.</param>
/// <param name="Refreshed">Ciphertexts that came back.</param>
[MessagePackObject]
public readonly record struct StageLoad(
    [property: Key(0)] int Stage,
    [property: Key(1)] double Busy,
    [property: Key(2)] double Window,
    [property: Key(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] double Computed = 0,
    [property: Key(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] double Waited = 0,
    [property: Key(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long Refreshed = 0)
{
    /// <summary>
    /// Idle share over all stages and steps given, 1 − Σ busy / Σ window, in [0, 1]; null without loads. For one step that
    /// is 1 − Σ busy / (stages · window), the measured side of <c>ScheduleMath.BubbleFraction</c>.
    /// </summary>
    public static double? Bubble(IEnumerable<StageLoad> loads)
    {
        var (busy, window) = (0.0, 0.0);
        foreach (var load in loads)
        {
            busy += load.Busy;
            window += load.Window;
        }

        return window > 0 ? Math.Clamp(1 - busy / window, 0, 1) : null;
    }

    /// <summary>Share, in [0, 1], of all stages' time that is waiting for somebody outside; null where nobody is waited for.</summary>
    public static double? WaitShare(IEnumerable<StageLoad> loads)
    {
        var (computed, waited) = (0.0, 0.0);
        foreach (var load in loads)
        {
            computed += load.Computed;
            waited += load.Waited;
        }

        return waited > 0 ? waited / (computed + waited) : null;
    }
}

/// <summary>One finished optimiser step.</summary>
[MessagePackObject]
public sealed record StepMetrics
{
    /// <summary>1-based number of the step.</summary>
    [Key(0)]
    public required long Step { get; init; }

    /// <summary>Mean MLM loss of the step's masked tokens, nats.</summary>
    [Key(1)]
    public required double Loss { get; init; }

    [Key(2)]
    public required double LearningRate { get; init; }

    /// <summary>Global L2 norm of the gradients before clipping.</summary>
    [Key(3)]
    public required double GradientNorm { get; init; }

    /// <summary>Sequences in the step.</summary>
    [Key(4)]
    public required int Sequences { get; init; }

    /// <summary>Tokens (sequences × block length) in the step.</summary>
    [Key(5)]
    public required long Tokens { get; init; }

    /// <summary>Tokens since the start of the run, this step included.</summary>
    [Key(6)]
    public required long TotalTokens { get; init; }

    /// <summary>Fraction of the budget used after this step, in [0, 1].</summary>
    [Key(7)]
    public required double Progress { get; init; }

    /// <summary>Wall-clock seconds of the step.</summary>
    [Key(8)]
    public required double Seconds { get; init; }

    [Key(9)]
    public required int MicroBatches { get; init; }

    [Key(10)]
    public required int Attempt { get; init; }

    /// <summary>True when the update was skipped because of a non-finite loss or norm.</summary>
    [Key(11)]
    public bool Skipped { get; init; }

    [Key(12)]
    public IReadOnlyList<StageLoad> Stages { get; init; } = [];
}

/// <summary>One evaluation on held-out text.</summary>
/// <param name="Loss">Mean MLM loss of the held-out masked tokens, nats.</param>
/// <param name="UnigramEntropy">Mean −log p of the same tokens under training-set unigram frequencies, nats.</param>
/// <param name="Accuracy">Share of masked tokens whose arg-max prediction is right, in [0, 1].</param>
[MessagePackObject]
public sealed record EvaluationMetrics(
    [property: Key(0)] long Step,
    [property: Key(1)] double Loss,
    [property: Key(2)] double UnigramEntropy,
    [property: Key(3)] double Accuracy,
    [property: Key(4)] long MaskedTokens,
    [property: Key(5)] double Seconds);

/// <summary>Receives what happens in a run, in order, from one thread at a time. Implementations must not throw and must be quick.</summary>
public interface IRunObserver
{
    /// <summary>A line for people: what is being done.</summary>
    void OnNotice(string text);

    /// <summary>The run starts or goes on after <paramref name="fromStep"/> committed steps; later metrics of those steps are void.</summary>
    void OnAttempt(int attempt, long fromStep);

    /// <summary>The same with its cause; who does not need it is told without.</summary>
    void OnAttempt(int attempt, long fromStep, AttemptCause cause) => OnAttempt(attempt, fromStep);

    void OnStep(StepMetrics step);

    void OnEvaluation(EvaluationMetrics evaluation);

    /// <summary>The head's outputs of the evaluation that is reported next, target by target: logits of classes, or real numbers.</summary>
    void OnOutputs(long step, float[] outputs)
    {
    }

    void OnSpans(IReadOnlyList<StageSpan> spans);

    /// <summary>Layer name → digests after a step.</summary>
    void OnDigest(long step, IReadOnlyList<LayerDigest> layers);

    void OnCheckpoint(long step, string path);

    /// <summary>The state after <paramref name="step"/> is safe: whatever happens from here on, the run goes back no further.</summary>
    void OnCommit(long step)
    {
    }
}

/// <summary>SHA-256 (lower-case hex) of one layer's weights, optimiser state and RNG state.</summary>
[MessagePackObject]
public sealed record LayerDigest(
    [property: Key(0)] string Layer,
    [property: Key(1)] string Weights,
    [property: Key(2)] string Optimiser,
    [property: Key(3)] string Rng);
