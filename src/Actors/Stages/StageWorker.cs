using System.Collections.Concurrent;

namespace ActorTrainer.Actors.Stages;

/// <summary>
/// One thread for all computation of one stage. Torch's dispose scopes and gradient mode belong to a thread, and long
/// work on a dispatcher would delay every other actor of the process.
/// </summary>
public sealed class StageWorker : IDisposable
{
    private readonly BlockingCollection<Action> _jobs = [];
    private readonly Thread _thread;

    /// <summary>Starts the thread.</summary>
    /// <param name="name">Name of the thread, for debuggers and traces.</param>
    public StageWorker(string name)
    {
        _thread = new Thread(Loop) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Runs a job after those posted before. The job must not throw: it reports its own failure.</summary>
    public void Post(Action job) => _jobs.Add(job);

    /// <summary>Runs a last job, then ends the thread; does not wait for it.</summary>
    public void Finish(Action last)
    {
        _jobs.Add(last);
        _jobs.CompleteAdding();
    }

    /// <summary>Ends the thread after the jobs already posted.</summary>
    public void Dispose() => _jobs.CompleteAdding();

    private void Loop()
    {
        foreach (var job in _jobs.GetConsumingEnumerable())
        {
            job();
        }
    }
}
