using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Host.Reports;

/// <summary>
/// Keeps the metrics of a run that lives elsewhere. Somebody who comes back is told again of the attempt under way and perhaps of its last
/// step: that voids nothing of what was written before.
/// </summary>
/// <param name="log">The files.</param>
/// <param name="before">What they held when the following began.</param>
public sealed class FollowedMetrics(MetricsLog log, RunMetrics before) : RunObserver
{
    private int _attempt = before.Steps.Select(step => step.Attempt).DefaultIfEmpty(0).Max();
    private long _step = before.Steps.Select(step => step.Step).DefaultIfEmpty(0).Max();

    public override void OnAttempt(int attempt, long fromStep)
    {
        if (attempt > _attempt)
        {
            _attempt = attempt;
            GoBackTo(fromStep);
        }
    }

    public override void OnStep(StepMetrics step)
    {
        if (step.Step == _step && step.Attempt == _attempt)
        {
            return;
        }

        if (step.Step <= _step)
        {
            GoBackTo(step.Step - 1); // another run of this name, or an attempt whose beginning was missed
        }

        _attempt = step.Attempt;
        _step = step.Step;
        log.OnStep(step);
    }

    public override void OnEvaluation(EvaluationMetrics evaluation) => log.OnEvaluation(evaluation);

    public override void OnDigest(long step, IReadOnlyList<LayerDigest> layers) => log.OnDigest(step, layers);

    private void GoBackTo(long step)
    {
        _step = Math.Min(_step, step);
        log.OnAttempt(_attempt, step);
    }
}
