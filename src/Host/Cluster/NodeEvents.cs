using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;
using ActorTrainer.Host.Views;

namespace ActorTrainer.Host.Cluster;

/// <summary>The important events of a run as lines of its coordinator's node: no steps, but attempts, evaluations, exports and notices.</summary>
/// <param name="name">Name of the run.</param>
/// <param name="say">Told each line.</param>
internal sealed class NodeEvents(string name, Action<string> say) : RunObserver
{
    public override void OnNotice(string text) => say($"{name}: {text}");

    public override void OnAttempt(int attempt, long fromStep) => say($"{name}: attempt {attempt} begins after step {fromStep:N0}");

    public override void OnEvaluation(EvaluationMetrics evaluation) =>
        say($"{name}: step {evaluation.Step:N0}, held-out loss {evaluation.Loss:0.000}, accuracy {Format.Percent(evaluation.Accuracy)}");

    public override void OnCheckpoint(long step, string path) => say($"{name}: step {step:N0}, model {path}");
}
