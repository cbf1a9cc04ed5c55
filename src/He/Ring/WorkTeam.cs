namespace ActorTrainer.He.Ring;

/// <summary>
/// Spreads equal pieces of work (limbs, ciphertexts) over as many threads as the caller asked for; the calling thread is one of them.
/// One call at a time; calls from within a piece run on the thread that makes them.
/// </summary>
public sealed class WorkTeam : IDisposable
{
    [ThreadStatic]
    private static bool _inside;

    private readonly Thread[] _helpers;
    private readonly SemaphoreSlim _begin = new(0);
    private readonly CountdownEvent _finished = new(1);
    private readonly Lock _oneAtATime = new();
    private Action<int>? _work;
    private int _count;
    private int _next;
    private volatile bool _closing;
    private Exception? _failure;

    /// <param name="degree">Threads, the caller included.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one.</exception>
    public WorkTeam(int degree)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(degree, 1);
        Degree = degree;
        _helpers = [.. Enumerable.Range(1, degree - 1).Select(i => new Thread(Help) { IsBackground = true, Name = $"he-{i}" })];
        Array.ForEach(_helpers, helper => helper.Start());
    }

    public int Degree { get; }

    /// <summary>Calls <paramref name="work"/> with 0 … count − 1, in no order; returns when all are done.</summary>
    /// <exception cref="AggregateException">A piece on another thread failed.</exception>
    public void For(int count, Action<int> work)
    {
        if (_helpers.Length == 0 || count < 2 || _inside || !_oneAtATime.TryEnter())
        {
            for (var i = 0; i < count; i++)
            {
                work(i);
            }

            return;
        }

        try
        {
            Spread(count, work);
        }
        finally
        {
            _oneAtATime.Exit();
        }
    }

    public void Dispose()
    {
        _closing = true;
        _begin.Release(Math.Max(1, _helpers.Length));
        Array.ForEach(_helpers, helper => helper.Join());
        _begin.Dispose();
        _finished.Dispose();
    }

    private void Spread(int count, Action<int> work)
    {
        var helpers = Math.Min(_helpers.Length, count - 1);
        (_work, _count, _failure) = (work, count, null);
        Volatile.Write(ref _next, 0);
        _finished.Reset(helpers);
        _begin.Release(helpers);
        _inside = true;
        try
        {
            Pieces();
        }
        finally
        {
            _inside = false;
            // Helpers still use the work, so they are waited for even when a piece of ours failed.
            Volatile.Write(ref _next, _count);
            _finished.Wait();
            _work = null;
        }

        if (_failure is not null)
        {
            throw new AggregateException(_failure);
        }
    }

    private void Pieces()
    {
        for (var i = Interlocked.Increment(ref _next) - 1; i < _count; i = Interlocked.Increment(ref _next) - 1)
        {
            _work!(i);
        }
    }

    private void Help()
    {
        _inside = true;
        while (true)
        {
            _begin.Wait();
            if (_closing)
            {
                return;
            }

            try
            {
                Pieces();
            }
            catch (Exception e)
            {
                _failure = e;
            }
            finally
            {
                _finished.Signal();
            }
        }
    }
}
