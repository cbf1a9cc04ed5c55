using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Tests.ClusterHost;

/// <summary>A cluster that plays what the test says and keeps what it was asked.</summary>
internal sealed class FakeCluster : ICluster
{
    public Func<IRunObserver, CancellationToken, Task<RunProtocol.Outcome>> Play { get; init; } =
        (_, _) => Task.FromResult(new RunProtocol.Outcome(OutcomeKind.Completed, 2, "2 steps done", ""));

    public ClientProtocol.Status Says { get; init; } = new(1, "n0", [], null);

    public string? Refusal { get; init; }

    public List<(string Name, string Settings)> Submitted { get; } = [];

    public List<string> Stopped { get; } = [];

    public bool Disposed { get; private set; }

    public Task Submit(string name, string settings, CancellationToken cancellation)
    {
        ThrowIfRefused();
        Submitted.Add((name, settings));
        return Task.CompletedTask;
    }

    public Task<RunProtocol.Outcome> Follow(string name, IRunObserver observer, CancellationToken cancellation) => Play(observer, cancellation);

    public Task<ClientProtocol.Status> Status(CancellationToken cancellation) => Task.FromResult(Says);

    public Task Stop(string name, CancellationToken cancellation)
    {
        ThrowIfRefused();
        Stopped.Add(name);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        Disposed = true;
        return ValueTask.CompletedTask;
    }

    private void ThrowIfRefused()
    {
        if (Refusal is not null)
        {
            throw new RefusedException(Refusal);
        }
    }
}
