using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Host.Reports;

/// <summary>An observer that ignores everything; reports and views override what they care about.</summary>
public abstract class RunObserver : IRunObserver
{
    public virtual void OnNotice(string text)
    {
    }

    public virtual void OnAttempt(int attempt, long fromStep)
    {
    }

    public virtual void OnStep(StepMetrics step)
    {
    }

    public virtual void OnEvaluation(EvaluationMetrics evaluation)
    {
    }

    public virtual void OnSpans(IReadOnlyList<StageSpan> spans)
    {
    }

    public virtual void OnDigest(long step, IReadOnlyList<LayerDigest> layers)
    {
    }

    public virtual void OnCheckpoint(long step, string path)
    {
    }

    public virtual void OnCommit(long step)
    {
    }
}
