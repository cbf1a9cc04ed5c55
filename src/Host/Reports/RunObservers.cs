using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Host.Reports;

/// <summary>
/// Passes everything on to several observers, in order. An observer that throws neither stops the run nor keeps the others
/// from being told: its first exception becomes a notice to all of them, later ones are dropped.
/// </summary>
public sealed class RunObservers : IRunObserver
{
    private readonly IRunObserver[] _observers;
    private readonly bool[] _noted;

    public RunObservers(params IEnumerable<IRunObserver> observers)
    {
        _observers = [.. observers];
        _noted = new bool[_observers.Length];
    }

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
        for (var i = 0; i < _observers.Length; i++)
        {
            try
            {
                call(_observers[i]);
            }
            catch (Exception e)
            {
                if (!_noted[i])
                {
                    _noted[i] = true;
                    OnNotice($"{_observers[i].GetType().Name} failed; the run goes on without its report: {e.Message}");
                }
            }
        }
    }
}
