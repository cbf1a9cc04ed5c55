using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Actors.Nodes;

/// <summary>Passes what happens in a run to its own observer, and as messages to whoever looks on from elsewhere.</summary>
/// <param name="name">Name of the run.</param>
/// <param name="own">Observer on this node.</param>
/// <param name="feed">Takes the messages; must not block.</param>
public sealed class FeedObserver(string name, IRunObserver own, Action<IWire> feed) : IRunObserver
{
    /// <inheritdoc/>
    public void OnNotice(string text)
    {
        own.OnNotice(text);
        feed(new ClientProtocol.Notice(name, text));
    }

    /// <inheritdoc/>
    public void OnAttempt(int attempt, long fromStep)
    {
        own.OnAttempt(attempt, fromStep);
        feed(new ClientProtocol.Attempt(name, attempt, fromStep));
    }

    /// <inheritdoc/>
    public void OnAttempt(int attempt, long fromStep, AttemptCause cause)
    {
        own.OnAttempt(attempt, fromStep, cause);
        feed(new ClientProtocol.Attempt(name, attempt, fromStep));
    }

    /// <inheritdoc/>
    public void OnCommit(long step)
    {
        own.OnCommit(step);
        feed(new ClientProtocol.Commit(name, step));
    }

    /// <inheritdoc/>
    public void OnStep(StepMetrics step)
    {
        own.OnStep(step);
        feed(new ClientProtocol.Step(name, step));
    }

    /// <inheritdoc/>
    public void OnOutputs(long step, float[] outputs) => own.OnOutputs(step, outputs);

    /// <inheritdoc/>
    public void OnEvaluation(EvaluationMetrics evaluation)
    {
        own.OnEvaluation(evaluation);
        feed(new ClientProtocol.Evaluation(name, evaluation));
    }

    /// <inheritdoc/>
    public void OnSpans(IReadOnlyList<StageSpan> spans)
    {
        own.OnSpans(spans);
        feed(new ClientProtocol.Spans(name, spans));
    }

    /// <inheritdoc/>
    public void OnDigest(long step, IReadOnlyList<LayerDigest> layers)
    {
        own.OnDigest(step, layers);
        feed(new ClientProtocol.Digest(name, step, layers));
    }

    /// <inheritdoc/>
    public void OnCheckpoint(long step, string path)
    {
        own.OnCheckpoint(step, path);
        feed(new ClientProtocol.Checkpoint(name, step, path));
    }

    /// <summary>Tells an observer what a message of <see cref="FeedObserver"/> says; false when it is none.</summary>
    public static bool Replay(IWire message, IRunObserver to)
    {
        switch (message)
        {
            case ClientProtocol.Notice m:
                to.OnNotice(m.Text);
                return true;
            case ClientProtocol.Attempt m:
                to.OnAttempt(m.Number, m.FromStep);
                return true;
            case ClientProtocol.Commit m:
                to.OnCommit(m.StepNumber);
                return true;
            case ClientProtocol.Step m:
                to.OnStep(m.Metrics);
                return true;
            case ClientProtocol.Evaluation m:
                to.OnEvaluation(m.Metrics);
                return true;
            case ClientProtocol.Spans m:
                to.OnSpans(m.Of);
                return true;
            case ClientProtocol.Digest m:
                to.OnDigest(m.StepNumber, m.Layers);
                return true;
            case ClientProtocol.Checkpoint m:
                to.OnCheckpoint(m.StepNumber, m.Path);
                return true;
            default:
                return false;
        }
    }
}
