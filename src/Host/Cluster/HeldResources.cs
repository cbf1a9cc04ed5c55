namespace ActorTrainer.Host.Cluster;

/// <summary>What is freed when a run ends, the newest first.</summary>
internal sealed class HeldResources : IDisposable
{
    private readonly Stack<IDisposable> _held = [];

    public T Add<T>(T held)
        where T : IDisposable
    {
        _held.Push(held);
        return held;
    }

    public void Dispose()
    {
        while (_held.TryPop(out var held))
        {
            held.Dispose();
        }
    }
}
