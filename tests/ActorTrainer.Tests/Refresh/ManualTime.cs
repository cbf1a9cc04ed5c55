using System.Collections.Concurrent;

namespace ActorTrainer.Tests.Refresh;

/// <summary>Time that stands still: a pause ends when the test says so.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly BlockingCollection<Pause> _pauses = [];

    /// <summary>Waits until somebody pauses.</summary>
    public Pause Next() => _pauses.TryTake(out var pause, OwnerSide.Patience) ? pause : throw new TimeoutException("Nobody paused.");

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var pause = new Pause(dueTime, () => callback(state));
        _pauses.Add(pause);
        return pause;
    }

    /// <param name="Length">For how long.</param>
    /// <param name="End">Ends it.</param>
    public sealed record Pause(TimeSpan Length, Action End) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
