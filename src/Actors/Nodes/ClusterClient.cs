using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Common;
using Akka.Actor;

namespace ActorTrainer.Actors.Nodes;

/// <summary>Talks to a cluster from outside: submits runs, looks on, asks, stops.</summary>
public sealed class ClusterClient : IAsyncDisposable
{
    private readonly ActorSystem _system;
    private readonly IReadOnlyList<ActorSelection> _agents;
    private readonly ClusterOptions _options;
    private readonly TimeProvider _time;
    private readonly TimeSpan _patience;

    private ClusterClient(ActorSystem system, ClusterOptions options, TimeProvider time, TimeSpan patience)
    {
        (_system, _options, _time, _patience) = (system, options, time, patience);
        _agents = [.. options.Seeds.Select(seed => system.ActorSelection(NodeAddress.Agent(NodeAddress.Parse(seed, options.Tls))))];
    }

    /// <summary>Makes a client; nothing is sent yet.</summary>
    /// <param name="options">Seeds are the nodes that are asked; any node of the cluster will do.</param>
    /// <param name="time">Clock.</param>
    /// <param name="patience">Time to go on asking until somebody answers; null: 10 s.</param>
    /// <param name="logFile">Where warnings go; null: nowhere.</param>
    /// <exception cref="RefusedException">No seeds, or settings that cannot be used.</exception>
    public static ClusterClient Connect(ClusterOptions options, TimeProvider time, TimeSpan? patience = null, string? logFile = null)
    {
        if (options.Seeds.Count == 0)
        {
            throw new RefusedException("cluster.seeds is empty: expected addresses of nodes, for example cluster.seeds=[\"10.0.0.1:4053\"].");
        }

        foreach (var seed in options.Seeds)
        {
            NodeAddress.Parse(seed, options.Tls);
        }

        return new ClusterClient(NodeSystem.Client(options, logFile), options, time, patience ?? TimeSpan.FromSeconds(10));
    }

    /// <summary>Begins or goes on with a run; returns when the cluster has written it down.</summary>
    /// <param name="name">Name of the run.</param>
    /// <param name="settings">All settings, one <c>key=value</c> a line.</param>
    /// <param name="cancellation">Gives up asking.</param>
    /// <exception cref="RefusedException">The cluster does not take the run, or does not answer.</exception>
    public async Task Submit(string name, string settings, CancellationToken cancellation = default) =>
        Accept(await Ask<ClientProtocol.SubmitReply>(new ClientProtocol.Submit(name, settings), cancellation).ConfigureAwait(false));

    /// <summary>Asks a run to finish its step, commit and stop.</summary>
    /// <exception cref="RefusedException">It is not under way, or the cluster does not answer.</exception>
    public async Task Stop(string name, CancellationToken cancellation = default) =>
        Accept(await Ask<ClientProtocol.SubmitReply>(new ClientProtocol.Stop(name), cancellation).ConfigureAwait(false));

    /// <summary>What the cluster is doing.</summary>
    /// <exception cref="RefusedException">It does not answer.</exception>
    public Task<ClientProtocol.Status> Status(CancellationToken cancellation = default) =>
        Ask<ClientProtocol.Status>(new ClientProtocol.AskStatus(), cancellation);

    /// <summary>Looks on until the run has ended, whichever nodes come and go meanwhile.</summary>
    /// <param name="name">Name of the run.</param>
    /// <param name="observer">Told what happens, and when the cluster has been silent for some seconds.</param>
    /// <param name="cancellation">Stops looking on; the run goes on.</param>
    /// <returns>How the run ended.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<RunProtocol.Outcome> Watch(string name, IRunObserver observer, CancellationToken cancellation = default)
    {
        var outcome = new TaskCompletionSource<RunProtocol.Outcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        var (agents, time) = (_agents, _time);
        var watch = _system.ActorOf(Props.Create(() => new ClientWatch(name, agents, observer, time, outcome)));
        try
        {
            return await outcome.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _system.Stop(watch);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _system.Terminate().ConfigureAwait(false);
        _system.Dispose();
    }

    private static void Accept(ClientProtocol.SubmitReply reply)
    {
        if (reply.Refusal.Length > 0)
        {
            throw new RefusedException(reply.Refusal);
        }
    }

    /// <summary>Asks every node, again and again, until the coordinator answers through one of them: all questions may come twice.</summary>
    private async Task<T> Ask<T>(IWire question, CancellationToken cancellation)
        where T : class
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var agents = _agents;
        var asking = _system.ActorOf(Props.Create(() => new ClientQuestion<T>(question, agents, answer)));
        try
        {
            return await answer.Task.WaitAsync(_patience, _time, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new RefusedException(
                $"No node of the cluster answers at {string.Join(", ", _options.Seeds)}; is it running, and has it a coordinator? "
                + "`actortrainer cluster up` starts one on this machine.");
        }
        finally
        {
            _system.Stop(asking);
        }
    }
}
