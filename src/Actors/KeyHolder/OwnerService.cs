using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted.Serving;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>The data owner of one run: answers refreshes, keeps what it sees, and counts.</summary>
public sealed class OwnerService : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly DataOwner _owner;
    private readonly Lock _gate = new();
    private OwnerProtocol.Status _status = OwnerProtocol.Status.Nothing;

    /// <param name="keys">The owner's; not owned.</param>
    /// <param name="sites">Of the program that is served: others are rejected.</param>
    /// <param name="ledger">Keeps what is seen.</param>
    /// <param name="guard">Watches ranges; null: nobody does.</param>
    /// <param name="threads">Requests computed at a time.</param>
    public OwnerService(OwnerKeys keys, IReadOnlySet<string> sites, OwnerLedger ledger, RangeGuard? guard, int threads)
    {
        (Ledger, Guard) = (ledger, guard);
        IOwnerObserver observer = guard is null ? ledger : new OwnerObservers(ledger, guard);
        _owner = new DataOwner(keys.Context, keys.Secret, new RefreshBook(sites: sites), new DataOwnerSettings(threads), observer, Count);
        Server = new RefreshServer(_owner, Counters, Patience);
    }

    /// <summary>Takes the requests of stages.</summary>
    public RefreshServer Server { get; }

    /// <summary>Counts requests that are none.</summary>
    public PeerCounters Counters { get; } = new();

    /// <summary>Loss, norms and outputs.</summary>
    public OwnerLedger Ledger { get; }

    /// <summary>Watches ranges; null: nobody does.</summary>
    public RangeGuard? Guard { get; }

    /// <summary>What was served so far.</summary>
    public OwnerProtocol.Status Status
    {
        get
        {
            lock (_gate)
            {
                return _status with { Warnings = Guard?.Warnings ?? [] };
            }
        }
    }

    public void Dispose() => _owner.Dispose();

    private void Count(OwnerProtocol.Served served)
    {
        lock (_gate)
        {
            _status = _status.After(served);
        }
    }
}
