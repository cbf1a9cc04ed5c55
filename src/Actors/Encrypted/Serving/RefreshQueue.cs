using System.Collections.Concurrent;

namespace ActorTrainer.Actors.Encrypted.Serving;

/// <summary>Accepted requests on their way to the threads that serve them. Members may be called by several threads.</summary>
internal sealed class RefreshQueue : IDisposable
{
    private readonly Action<RefreshJob> _serve;
    private readonly BlockingCollection<RefreshJob> _jobs;
    private readonly Thread[] _threads;
    private volatile bool _ending;

    /// <param name="threads">Requests served at a time.</param>
    /// <param name="most">Requests that wait.</param>
    /// <param name="name">Of the threads.</param>
    /// <param name="serve">Serves one; must not throw.</param>
    public RefreshQueue(int threads, int most, string name, Action<RefreshJob> serve)
    {
        (_serve, _jobs) = (serve, new BlockingCollection<RefreshJob>(most));
        _threads = [.. Enumerable.Range(0, threads).Select(i => new Thread(Work) { IsBackground = true, Name = $"{name} {i}" })];
        Array.ForEach(_threads, thread => thread.Start());
    }

    /// <summary>Whether nothing more is served but what is under way.</summary>
    public bool IsEnding => _ending;

    /// <summary>Has a request served; blocks while too many wait.</summary>
    /// <param name="job">This one's from here on.</param>
    /// <exception cref="InvalidOperationException">It has ended.</exception>
    public void Add(RefreshJob job)
    {
        try
        {
            _jobs.Add(job);
        }
        catch
        {
            job.Dispose();
            throw;
        }
    }

    /// <summary>Ends the threads after the requests under way; those that wait are dropped, and their connections closed.</summary>
    public void Dispose()
    {
        if (_ending)
        {
            return;
        }

        _ending = true;
        _jobs.CompleteAdding();
        Array.ForEach(_threads, thread => thread.Join());
    }

    private void Work()
    {
        foreach (var job in _jobs.GetConsumingEnumerable())
        {
            using (job)
            {
                if (_ending || !job.IsWanted)
                {
                    job.Drop();
                }
                else
                {
                    _serve(job);
                }
            }
        }
    }
}
