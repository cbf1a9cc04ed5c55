using System.Collections.Concurrent;
using System.Numerics;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Serving;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Scheme;
using ActorTrainer.Tests.He;

namespace ActorTrainer.Tests.Refresh;

/// <summary>A data owner over a tiny set, and stages that ask it.</summary>
internal sealed class OwnerSide : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly List<IDisposable> _owned = [];

    public OwnerSide(IOwnerObserver? observer = null, RefreshBook? book = null, DataOwnerSettings? settings = null)
    {
        Owner = new DataOwner(He.Context, He.Secret, book ?? new RefreshBook(), settings ?? new DataOwnerSettings(2), observer, Served.Enqueue);
        Server = new RefreshServer(Owner, Counters, Patience);
    }

    public WireFixture He { get; } = new();

    public DataOwner Owner { get; }

    public RefreshServer Server { get; }

    public PeerCounters Counters { get; } = new();

    public ConcurrentQueue<OwnerProtocol.Served> Served { get; } = new();

    public CkksContext Context => He.Context;

    /// <summary>Top level of the set.</summary>
    public int Top => Context.Parameters.MaxLevel;

    public LocalRefreshChannel Channel() => Own(new LocalRefreshChannel(Context, Server.Handle));

    /// <summary>A stage at step 1 of attempt 1.</summary>
    public OwnerRefresher Stage(IRefreshChannel? channel = null, OwnerRefresherSettings? settings = null)
    {
        var stage = new OwnerRefresher(Context, channel ?? Channel(), settings);
        stage.Begin("r", 1, 1, Phase.Train, 0);
        return stage;
    }

    /// <summary>Ciphertexts at level 0 of the numbers.</summary>
    public Ciphertext[] Low(params double[] values) => [.. values.Select(value => He.Encrypt(0, seeded: false, value))];

    public double[] Decrypt(IEnumerable<Ciphertext> ciphertexts) => [.. ciphertexts.Select(He.Decrypted)];

    /// <summary>Blocks on a thread of its own.</summary>
    public static Task<T> Start<T>(Func<T> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    public void Dispose()
    {
        _owned.ForEach(owned => owned.Dispose());
        Owner.Dispose();
        He.Dispose();
    }
}

/// <summary>An observer that is a function.</summary>
internal sealed class Watching(Action<RefreshKey, int, IReadOnlyList<Complex>> see) : IOwnerObserver
{
    public void Observed(RefreshKey key, int index, IReadOnlyList<Complex> slots) => see(key, index, slots);
}
