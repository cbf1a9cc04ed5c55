using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;

namespace ActorTrainer.Actors.Nodes;

/// <summary>
/// The run that a coordinator works on, from its submission to its end, with what it holds: files are freed once, also when the
/// preparation ends after everybody has lost interest in it.
/// </summary>
internal sealed class RunSlot(ClusterEvents.Submitted submitted, int number) : IDisposable
{
    private readonly CancellationTokenSource _cancel = new();
    private readonly Lock _lock = new();
    private PreparedRun? _prepared;
    private bool _disposed;

    /// <summary>Name of the run.</summary>
    public string Name => submitted.Name;

    /// <summary>All settings.</summary>
    public string Settings => submitted.Settings;

    /// <summary>Tells this work on the run from earlier ones of the same coordinator.</summary>
    public int Number => number;

    /// <summary>Cancels the preparation.</summary>
    public CancellationToken Cancellation => _cancel.Token;

    /// <summary>What the run's coordinator works with, null while it is being prepared.</summary>
    public RunServices? Services { get; set; }

    /// <summary>The run's coordinator, nobody while it is being prepared or after it has died.</summary>
    public IActorRef Coordinator { get; set; } = ActorRefs.Nobody;

    /// <summary>What is being done, for people.</summary>
    public string Doing { get; set; } = "is being prepared";

    /// <summary>Somebody has asked for a stop.</summary>
    public bool Stopping { get; set; }

    /// <summary>The attempt under way, null before the first.</summary>
    public ClientProtocol.Attempt? Attempt { get; set; }

    /// <summary>Steps done.</summary>
    public long Step { get; set; }

    /// <summary>Stops the preparation.</summary>
    public void Cancel() => _cancel.Cancel();

    /// <summary>Takes the prepared run over; frees it when the slot was given up in the meantime.</summary>
    /// <exception cref="OperationCanceledException">It was.</exception>
    public void Keep(PreparedRun prepared)
    {
        lock (_lock)
        {
            if (!_disposed)
            {
                _prepared = prepared;
                return;
            }
        }

        prepared.Dispose();
        throw new OperationCanceledException();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        PreparedRun? prepared;
        lock (_lock)
        {
            (_disposed, prepared, _prepared) = (true, _prepared, null);
        }

        _cancel.Cancel();
        prepared?.Dispose();
    }
}
