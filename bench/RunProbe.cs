using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Bench;

/// <summary>Hands on what a benchmark wants to know of a run.</summary>
public sealed class RunProbe : IRunObserver
{
    public Action<StepMetrics> Step { get; init; } = _ => { };

    public Action<IReadOnlyList<StageSpan>> Spans { get; init; } = _ => { };

    public Action<long, IReadOnlyList<LayerDigest>> Digest { get; init; } = (_, _) => { };

    /// <inheritdoc/>
    public void OnNotice(string text) => Console.Error.WriteLine(text);

    /// <inheritdoc/>
    public void OnAttempt(int attempt, long fromStep)
    {
    }

    /// <inheritdoc/>
    public void OnStep(StepMetrics step) => Step(step);

    /// <inheritdoc/>
    public void OnEvaluation(EvaluationMetrics evaluation)
    {
    }

    /// <inheritdoc/>
    public void OnSpans(IReadOnlyList<StageSpan> spans) => Spans(spans);

    /// <inheritdoc/>
    public void OnDigest(long step, IReadOnlyList<LayerDigest> layers) => Digest(step, layers);

    /// <inheritdoc/>
    public void OnCheckpoint(long step, string path)
    {
    }
}
