using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace ActorTrainer.Model.Data;

/// <summary>A parallel map whose results come in the order of the source and of which a bounded number is under way.</summary>
internal static class OrderedParallel
{
    /// <summary>
    /// Maps items on <paramref name="workers"/> workers. An exception of the source or of the map surfaces at its place in the
    /// order; when the consumer stops, or on cancellation, all workers have ended before this returns.
    /// </summary>
    public static async IAsyncEnumerable<TOut> Select<TIn, TOut>(
        IEnumerable<TIn> source, int workers, Func<TIn, TOut> map, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var token = stop.Token;
        var jobs = Channel.CreateBounded<Job<TIn, TOut>>(workers);
        var ordered = Channel.CreateBounded<Task<TOut>>(2 * workers);
        var tasks = Enumerable.Range(0, workers).Select(_ => Task.Run(() => Work(jobs.Reader, map, token), CancellationToken.None))
            .Append(Task.Run(() => Produce(source, jobs.Writer, ordered.Writer, token), CancellationToken.None))
            .ToList();
        try
        {
            await foreach (var result in ordered.Reader.ReadAllAsync(token).ConfigureAwait(false))
            {
                // What is buffered would come through a cancelled channel.
                token.ThrowIfCancellationRequested();
                yield return await result.WaitAsync(token).ConfigureAwait(false);
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task Produce<TIn, TOut>(
        IEnumerable<TIn> source, ChannelWriter<Job<TIn, TOut>> jobs, ChannelWriter<Task<TOut>> ordered, CancellationToken token)
    {
        Exception? failure = null;
        try
        {
            foreach (var item in source)
            {
                var job = new Job<TIn, TOut>(item, new(TaskCreationOptions.RunContinuationsAsynchronously));
                await jobs.WriteAsync(job, token).ConfigureAwait(false);
                await ordered.WriteAsync(job.Result.Task, token).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            failure = e;
        }

        jobs.Complete();
        ordered.Complete(failure);
    }

    private static async Task Work<TIn, TOut>(ChannelReader<Job<TIn, TOut>> jobs, Func<TIn, TOut> map, CancellationToken token)
    {
        await foreach (var job in jobs.ReadAllAsync(token).ConfigureAwait(false))
        {
            token.ThrowIfCancellationRequested();
            try
            {
                job.Result.SetResult(map(job.Item));
            }
            catch (Exception e)
            {
                job.Result.SetException(e);
            }
        }
    }

    private sealed record Job<TIn, TOut>(TIn Item, TaskCompletionSource<TOut> Result);
}
