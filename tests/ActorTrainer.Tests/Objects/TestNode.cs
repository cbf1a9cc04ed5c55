using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Tests.Checkpoints;

namespace ActorTrainer.Tests.Objects;

/// <summary>A node that holds objects of run r, in a folder of its own, and asks others.</summary>
internal sealed class TestNode : IDisposable
{
    public const string Run = "r";
    public const long MaxBytes = 4 << 20;

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackNetwork _network = new();

    /// <param name="handler">Takes connections instead of an honest server.</param>
    /// <param name="patience">Of the server.</param>
    public TestNode(Action<PeerConnection>? handler = null, TimeSpan? patience = null)
    {
        Store = new NodeStore(_folder.Path);
        Client = new ObjectClient(_network, MaxBytes, Patience);
        _network.Serve(PeerPurpose.Objects, handler ?? new ObjectServer(Store, _network.Counters, MaxBytes, patience ?? Patience).Handle);
        _network.Listen();
        Address = _network.Address;
    }

    public string Folder => _folder.Path;

    public string Address { get; }

    public PeerCounters Counters => _network.Counters;

    public IReadOnlyList<Exception> Thrown => _network.Thrown;

    public NodeStore Store { get; }

    public ObjectClient Client { get; }

    /// <summary>Everything on disk, objects and debris, without folders.</summary>
    public IReadOnlyList<string> Files => Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories);

    public static byte[] Bytes(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public string Put(byte[] content, long step = 1) => Store.Put(Run, step, stream => stream.Write(content));

    public byte[] Read(string hash) => File.ReadAllBytes(Store.Verified(Run, hash));

    /// <summary>Turns a bit of an object's file, keeping its length.</summary>
    public void Damage(string hash)
    {
        var path = Store.PathOf(Run, hash);
        var generation = Store.StepOf(Run, hash);
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
        if (generation != ContentStore.NoGeneration)
        {
            File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddSeconds(generation));
        }
    }

    /// <summary>Closes the port and waits until every connection has been served.</summary>
    public void StopServing() => _network.Dispose();

    public void Dispose()
    {
        StopServing();
        _folder.Dispose();
    }
}
