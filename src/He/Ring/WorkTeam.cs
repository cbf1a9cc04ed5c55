using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace ActorTrainer.He.Ring;

/// <summary>
/// Spreads equal pieces of work (limbs, ciphertexts) over as many threads as the caller asked for; the calling thread is one of them.
/// One call at a time; calls from within a piece run on the thread that makes them. Helpers stay awake for a moment after a call, since the
/// next one of a busy program comes within microseconds and a sleeping thread takes longer to wake than many a call takes in all; after
/// that they sleep. A helper that comes too late finds nothing left and is not waited for.
/// </summary>
public sealed class WorkTeam : IDisposable
{
    /// <summary>How long a thread waits awake, about what it costs to be put to sleep and woken; it yields meanwhile to whoever shares its core.</summary>
    private static readonly long Patience = Environment.ProcessorCount > 1 ? Stopwatch.Frequency / 20_000 : 0;

    [ThreadStatic]
    private static bool _inside;

    private readonly Thread[] _helpers;
    private readonly object _bed = new();
    private readonly Lock _oneAtATime = new();
    private Call? _call;
    private long _calls;
    private int _sleepers;
    private volatile bool _closing;

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

    /// <summary>Helpers that sleep.</summary>
    internal int Sleepers => Volatile.Read(ref _sleepers);

    /// <summary>
    /// Calls <paramref name="work"/> with 0 … count − 1, in no order; returns when all are done. Where a piece fails, pieces that were not begun
    /// are left out and its exception is thrown here.
    /// </summary>
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
        lock (_bed)
        {
            Monitor.PulseAll(_bed);
        }

        Array.ForEach(_helpers, helper => helper.Join());
    }

    private void Spread(int count, Action<int> work)
    {
        var call = new Call(++_calls, count, work);
        Volatile.Write(ref _call, call);
        // Either this thread sees who sleeps, or who lies down sees the call.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _sleepers) > 0)
        {
            Wake(count - 1);
        }

        _inside = true;
        call.Run();
        _inside = false;
        call.Finish();
        Volatile.Write(ref _call, null);
        call.Failure?.Throw();
    }

    private void Wake(int wanted)
    {
        lock (_bed)
        {
            for (var i = Math.Min(wanted, _sleepers); i > 0; i--)
            {
                Monitor.Pulse(_bed);
            }
        }
    }

    private void Help()
    {
        _inside = true;
        for (long last = 0; Next(last) is { } call; last = call.Number)
        {
            call.Run();
        }
    }

    /// <summary>A call later than the last one; null when the team is disposed.</summary>
    private Call? Next(long last)
    {
        while (!_closing)
        {
            for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetTimestamp() - start <= Patience; Thread.Yield())
            {
                if (Volatile.Read(ref _call) is { } call && call.Number > last)
                {
                    return call;
                }
            }

            lock (_bed)
            {
                Interlocked.Increment(ref _sleepers);
                if (!_closing && !(Volatile.Read(ref _call) is { } call && call.Number > last))
                {
                    Monitor.Wait(_bed);
                }

                Interlocked.Decrement(ref _sleepers);
            }
        }

        return null;
    }

    /// <summary>One call of <see cref="For"/>: an object of its own, so that a helper that comes late can do no harm to the next one.</summary>
    private sealed class Call(long number, int count, Action<int> work)
    {
        private int _next;
        private int _done;
        private bool _waiting;
        private ExceptionDispatchInfo? _failure;

        public long Number => number;

        public ExceptionDispatchInfo? Failure => _failure;

        /// <summary>Takes pieces until none is left.</summary>
        public void Run()
        {
            for (var i = Interlocked.Increment(ref _next) - 1; i < count; i = Interlocked.Increment(ref _next) - 1)
            {
                Piece(i);
                if (Interlocked.Increment(ref _done) == count && Volatile.Read(ref _waiting))
                {
                    lock (this)
                    {
                        Monitor.Pulse(this);
                    }
                }
            }
        }

        /// <summary>Waits for pieces that other threads have taken.</summary>
        public void Finish()
        {
            for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetTimestamp() - start <= Patience; Thread.Yield())
            {
                if (Volatile.Read(ref _done) == count)
                {
                    return;
                }
            }

            lock (this)
            {
                Volatile.Write(ref _waiting, true);
                Interlocked.MemoryBarrier();
                while (Volatile.Read(ref _done) < count)
                {
                    Monitor.Wait(this);
                }
            }
        }

        private void Piece(int i)
        {
            if (Volatile.Read(ref _failure) is not null)
            {
                return;
            }

            try
            {
                work(i);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
            }
        }
    }
}
