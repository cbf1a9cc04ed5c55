using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster;

/// <summary>A running cluster, as a command talks to it.</summary>
internal interface ICluster : IAsyncDisposable
{
    /// <summary>Hands in a run; returns when the cluster works on it.</summary>
    /// <param name="name">Name of the run.</param>
    /// <param name="settings">See <see cref="RunSettings"/>.</param>
    /// <exception cref="RefusedException">The cluster cannot be reached, or does not take the run.</exception>
    Task Submit(string name, string settings, CancellationToken cancellation);

    /// <summary>Tells what happens in a run until it ends.</summary>
    Task<RunProtocol.Outcome> Follow(string name, IRunObserver observer, CancellationToken cancellation);

    /// <summary>What the cluster is doing.</summary>
    /// <exception cref="RefusedException">The cluster cannot be reached.</exception>
    Task<ClientProtocol.Status> Status(CancellationToken cancellation);

    /// <summary>Asks a run to finish its step, commit and stop.</summary>
    /// <exception cref="RefusedException">The cluster cannot be reached, or the run is not under way.</exception>
    Task Stop(string name, CancellationToken cancellation);
}
