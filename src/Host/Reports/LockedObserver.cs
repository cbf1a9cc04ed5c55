using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Host.Reports;

/// <summary>Lets several threads tell one observer, one at a time: a run, and whoever scores its checkpoints meanwhile.</summary>
/// <param name="inner">The observer.</param>
public sealed class LockedObserver(IRunObserver inner) : IRunObserver
{
    private readonly Lock _gate = new();

    public void OnNotice(string text) => Tell(o => o.OnNotice(text));

    public void OnAttempt(int attempt, long fromStep) => Tell(o => o.OnAttempt(attempt, fromStep));

    public void OnAttempt(int attempt, long fromStep, AttemptCause cause) => Tell(o => o.OnAttempt(attempt, fromStep, cause));

    public void OnStep(StepMetrics step) => Tell(o => o.OnStep(step));

    public void OnEvaluation(EvaluationMetrics evaluation) => Tell(o => o.OnEvaluation(evaluation));

    public void OnOutputs(long step, float[] outputs) => Tell(o => o.OnOutputs(step, outputs));

    public void OnSpans(IReadOnlyList<StageSpan> spans) => Tell(o => o.OnSpans(spans));

    public void OnDigest(long step, IReadOnlyList<LayerDigest> layers) => Tell(o => o.OnDigest(step, layers));

    public void OnCheckpoint(long step, string path) => Tell(o => o.OnCheckpoint(step, path));

    public void OnCommit(long step) => Tell(o => o.OnCommit(step));

    private void Tell(Action<IRunObserver> call)
    {
        lock (_gate)
        {
            call(inner);
        }
    }
}
