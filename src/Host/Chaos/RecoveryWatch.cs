using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;

namespace ActorTrainer.Host.Chaos;

/// <summary>Looks on at a run and tells when it has got somewhere.</summary>
/// <param name="clock">Clock.</param>
/// <param name="say">Told lines for people.</param>
internal sealed class RecoveryWatch(RunClock clock, Action<string> say) : RunObserver
{
    private readonly Lock _gate = new();
    private readonly List<FeedEvent> _events = [];
    private TaskCompletionSource _news = New();
    private int _attempt;
    private long _step;
    private long _committed;

    /// <summary>Where the run stands.</summary>
    public Mark Now
    {
        get
        {
            lock (_gate)
            {
                return new Mark(clock.Seconds, _attempt, _step, _events.Count);
            }
        }
    }

    /// <summary>Last committed step.</summary>
    public long Committed
    {
        get
        {
            lock (_gate)
            {
                return _committed;
            }
        }
    }

    /// <summary>Waits until a step of at least this number is committed.</summary>
    public Task UntilCommitted(long step, CancellationToken cancellation) => Until(() => _committed >= step ? this : null, cancellation);

    /// <summary>Waits until the run has got over a fault.</summary>
    public Task<Recovery> UntilRecovered(Mark first, Mark last, CancellationToken cancellation) =>
        Until(() => Recovery.Judge(first, last, _events), cancellation);

    public override void OnNotice(string text) => say(text);

    public override void OnAttempt(int attempt, long fromStep) =>
        Tell(new FeedEvent(clock.Seconds, FeedKind.Attempt, fromStep, attempt), () => (_attempt, _step) = (attempt, fromStep));

    public override void OnStep(StepMetrics step) =>
        Tell(new FeedEvent(clock.Seconds, FeedKind.Step, step.Step), () => _step = step.Step);

    public override void OnCommit(long step) => Tell(new FeedEvent(clock.Seconds, FeedKind.Commit, step), () => _committed = Math.Max(_committed, step));

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Tell(FeedEvent told, Action apply)
    {
        TaskCompletionSource news;
        lock (_gate)
        {
            _events.Add(told);
            apply();
            (news, _news) = (_news, New());
        }

        news.SetResult();
    }

    private async Task<T> Until<T>(Func<T?> find, CancellationToken cancellation)
        where T : class
    {
        while (true)
        {
            Task news;
            lock (_gate)
            {
                if (find() is { } found)
                {
                    return found;
                }

                news = _news.Task;
            }

            await news.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }
}
