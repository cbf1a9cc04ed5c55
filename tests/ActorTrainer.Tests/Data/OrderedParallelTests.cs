using ActorTrainer.Model.Data;
using Xunit;

namespace ActorTrainer.Tests.Data;

public class OrderedParallelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Results_come_in_the_order_of_the_source(int workers)
    {
        var results = new List<int>();
        await foreach (var result in OrderedParallel.Select(Enumerable.Range(0, 500), workers, Slow))
        {
            results.Add(result);
        }

        Assert.Equal(Enumerable.Range(0, 500).Select(i => i * i), results);

        static int Slow(int item)
        {
            // Earlier items take longer, so that workers finish out of order.
            Thread.SpinWait((500 - item) % 7 * 2000);
            return item * item;
        }
    }

    [Fact]
    public async Task The_source_runs_ahead_of_the_consumer_by_a_bounded_number()
    {
        var made = 0;
        await using var results = OrderedParallel.Select(Source(), 3, item => item).GetAsyncEnumerator();
        for (var taken = 1; taken <= 200; taken++)
        {
            Assert.True(await results.MoveNextAsync());
            Assert.InRange(Volatile.Read(ref made), taken, taken + 12);
        }

        IEnumerable<int> Source()
        {
            while (true)
            {
                yield return Interlocked.Increment(ref made);
            }
        }
    }

    [Fact]
    public async Task A_failure_of_the_map_or_the_source_comes_at_its_place()
    {
        foreach (var inSource in new[] { true, false })
        {
            var results = new List<int>();
            var failure = await Assert.ThrowsAsync<FormatException>(async () =>
            {
                await foreach (var result in OrderedParallel.Select(Source(inSource), 3, item => item == 50 && !inSource ? throw new FormatException("50") : item))
                {
                    results.Add(result);
                }
            });
            Assert.Equal("50", failure.Message);
            Assert.Equal(Enumerable.Range(0, 50), results);
        }

        static IEnumerable<int> Source(bool fails)
        {
            for (var i = 0; i < 100; i++)
            {
                yield return i == 50 && fails ? throw new FormatException("50") : i;
            }
        }
    }

    [Fact]
    public async Task Cancellation_ends_the_workers()
    {
        using var stop = new CancellationTokenSource();
        var running = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var item in OrderedParallel.Select(Enumerable.Range(0, int.MaxValue), 3, Count, stop.Token))
            {
                if (item == 20)
                {
                    await stop.CancelAsync();
                }
            }
        });
        Assert.Equal(0, running);

        int Count(int item)
        {
            Interlocked.Increment(ref running);
            Thread.SpinWait(100);
            Interlocked.Decrement(ref running);
            return item;
        }
    }
}
