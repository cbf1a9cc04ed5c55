using ActorTrainer.He.Ring;
using Xunit;

namespace ActorTrainer.Tests.He;

public class WorkTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_piece_is_done_once(int degree)
    {
        using var team = new WorkTeam(degree);
        for (var count = 0; count < 300; count++)
        {
            var done = new int[count];
            team.For(count, i => Interlocked.Increment(ref done[i]));
            Assert.All(done, times => Assert.Equal(1, times));
        }
    }

    [Fact]
    public void Calls_one_right_after_another_see_only_their_own_pieces()
    {
        using var team = new WorkTeam(3);
        long sum = 0, expected = 0;
        for (var call = 1; call <= 50_000; call++)
        {
            var (factor, count) = (call, 2 + (call % 3));
            team.For(count, i => Interlocked.Add(ref sum, (long)factor * (i + 1)));
            expected += (long)factor * count * (count + 1) / 2;
            Assert.Equal(expected, sum);
        }
    }

    [Fact]
    public void Idle_helpers_sleep_and_are_woken()
    {
        using var team = new WorkTeam(4);
        for (var round = 0; round < 20; round++)
        {
            Assert.True(SpinWait.SpinUntil(() => team.Sleepers == 3, TimeSpan.FromSeconds(30)));
            // Pieces that wait for each other are only done by four threads.
            using var together = new Barrier(4);
            var threads = new int[4];
            team.For(4, i =>
            {
                together.SignalAndWait();
                threads[i] = Environment.CurrentManagedThreadId;
            });
            Assert.Equal(4, threads.Distinct().Count());
        }
    }

    [Fact]
    public void A_second_caller_of_a_busy_team_does_its_own_pieces()
    {
        using var team = new WorkTeam(2);
        using var busy = new ManualResetEventSlim();
        using var taken = new CountdownEvent(2);
        var other = new Thread(() => team.For(2, _ =>
        {
            taken.Signal();
            busy.Wait();
        }));
        other.Start();
        taken.Wait();
        var mine = new int[100];
        team.For(100, i => mine[i] = Environment.CurrentManagedThreadId);
        Assert.All(mine, id => Assert.Equal(Environment.CurrentManagedThreadId, id));
        busy.Set();
        other.Join();
    }

    [Fact]
    public void Calls_from_within_a_piece_run_on_its_thread()
    {
        using var team = new WorkTeam(3);
        var (sum, elsewhere) = (0, 0);
        team.For(8, _ =>
        {
            var outer = Environment.CurrentManagedThreadId;
            team.For(10, i =>
            {
                Interlocked.Add(ref sum, i);
                Interlocked.Add(ref elsewhere, Environment.CurrentManagedThreadId == outer ? 0 : 1);
            });
        });
        Assert.Equal((8 * 45, 0), (sum, elsewhere));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_failure_is_thrown_as_it_is_and_the_team_works_on(int degree)
    {
        using var team = new WorkTeam(degree);
        for (var round = 0; round < 100; round++)
        {
            var failing = round % 10;
            var error = Assert.Throws<InvalidOperationException>(() => team.For(10, i =>
            {
                if (i == failing)
                {
                    throw new InvalidOperationException($"piece {i}");
                }
            }));
            Assert.Equal($"piece {failing}", error.Message);
        }

        var sum = 0;
        team.For(10, i => Interlocked.Add(ref sum, i));
        Assert.Equal(45, sum);
    }
}
