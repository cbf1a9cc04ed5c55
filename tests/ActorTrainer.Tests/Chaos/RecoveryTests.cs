using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Chaos;
using Xunit;

namespace ActorTrainer.Tests.Chaos;

public class RecoveryTests
{
    private static readonly Mark At10 = new(At: 100, Attempt: 1, Step: 10, Position: 0);

    [Fact]
    public void A_commit_of_the_next_attempt_is_a_recovery_and_counts_the_steps_done_twice() => Assert.Equal(
        new Recovery(Detected: 2, Recovered: 5, Replayed: 4),
        Recovery.Judge(At10, At10,
        [
            Step(101, 11), Attempt(102, 2, 7), Step(104, 8), Commit(105, 8), Commit(106, 9),
        ]));

    [Fact]
    public void A_commit_that_was_under_way_proves_nothing_and_one_of_a_step_begun_afterwards_does()
    {
        Assert.Null(Recovery.Judge(At10, At10, [Commit(100.1, 10), Step(100.2, 11), Commit(100.3, 11)]));
        Assert.Equal(
            new Recovery(Detected: null, Recovered: 3, Replayed: 0),
            Recovery.Judge(At10, At10, [Step(100.2, 11), Commit(100.3, 11), Step(102, 12), Commit(103, 12)]));
    }

    [Fact]
    public void After_two_kills_only_what_follows_the_second_counts()
    {
        FeedEvent[] events = [Attempt(101, 2, 10), Step(101.2, 11), Commit(101.3, 11), Attempt(104, 3, 11), Step(105, 12), Commit(106, 12)];
        var second = new Mark(At: 101.1, Attempt: 2, Step: 10, Position: 1);

        Assert.Equal(new Recovery(Detected: 1, Recovered: 6, Replayed: 0), Recovery.Judge(At10, second, events));
    }

    [Fact]
    public void Attempts_that_fail_in_a_row_are_one_recovery() => Assert.Equal(
        new Recovery(Detected: 1, Recovered: 9, Replayed: 3),
        Recovery.Judge(At10, At10, [Attempt(101, 2, 8), Step(102, 9), Attempt(103, 3, 8), Attempt(105, 4, 8), Step(108, 9), Commit(109, 9)]));

    [Fact]
    public async Task The_watch_tells_when_a_run_has_recovered()
    {
        var watch = new RecoveryWatch(new RunClock(TimeProvider.System), _ => { });
        watch.OnAttempt(1, 0);
        watch.OnCommit(4);
        var mark = watch.Now;
        var recovered = watch.UntilRecovered(mark, mark, CancellationToken.None);

        Assert.False(recovered.IsCompleted);
        watch.OnAttempt(2, 4);
        watch.OnCommit(5);

        Assert.NotNull((await recovered.WaitAsync(TimeSpan.FromSeconds(10))).Detected);
        await watch.UntilCommitted(5, CancellationToken.None);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watch.UntilCommitted(6, new CancellationToken(canceled: true)));
    }

    private static FeedEvent Attempt(double at, int number, long from) => new(at, FeedKind.Attempt, from, number);

    private static FeedEvent Step(double at, long step) => new(at, FeedKind.Step, step);

    private static FeedEvent Commit(double at, long step) => new(at, FeedKind.Commit, step);
}
