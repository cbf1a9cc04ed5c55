using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Host.Encrypted;

/// <summary>A run as its owner sees it: what the cluster does, with the loss and the gradient norm that only the owner knows.</summary>
/// <param name="inner">Told what happens.</param>
/// <param name="ledger">What the owner saw.</param>
internal sealed class OwnerView(IRunObserver inner, OwnerLedger ledger) : IRunObserver
{
    public void OnNotice(string text) => inner.OnNotice(text);

    public void OnAttempt(int attempt, long fromStep) => inner.OnAttempt(attempt, fromStep);

    public void OnAttempt(int attempt, long fromStep, AttemptCause cause) => inner.OnAttempt(attempt, fromStep, cause);

    public void OnStep(StepMetrics step)
    {
        var seen = ledger.Of(step.Step);
        inner.OnStep(step with { Loss = seen.Loss, GradientNorm = seen.GradientNorm });
    }

    /// <summary>The cluster knows nothing of an evaluation's result; the owner scores it from its outputs.</summary>
    public void OnEvaluation(EvaluationMetrics evaluation)
    {
    }

    public void OnSpans(IReadOnlyList<StageSpan> spans) => inner.OnSpans(spans);

    public void OnDigest(long step, IReadOnlyList<LayerDigest> layers) => inner.OnDigest(step, layers);

    public void OnCheckpoint(long step, string path) => inner.OnCheckpoint(step, path);

    public void OnCommit(long step) => inner.OnCommit(step);
}
