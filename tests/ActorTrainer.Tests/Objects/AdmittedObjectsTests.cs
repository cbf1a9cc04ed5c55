using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Tests.Checkpoints;
using Xunit;

namespace ActorTrainer.Tests.Objects;

/// <summary>Objects over the real port of a node.</summary>
public sealed class AdmittedObjectsTests : IDisposable
{
    private const string Run = "r";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();
    private readonly NodeStore _holder;
    private readonly NodeStore _stage;
    private readonly PeerNetwork _port;

    public AdmittedObjectsTests()
    {
        _holder = new NodeStore(_folder["holder"]);
        _stage = new NodeStore(_folder["stage"]);
        _port = Network("holder", 1);
        _port.Serve(PeerPurpose.Objects, new ObjectServer(_holder, _port.Counters, TestNode.MaxBytes, Patience).Handle);
        _port.Listen();
    }

    public void Dispose()
    {
        _port.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Objects_go_there_and_back()
    {
        using var network = Network("stage", 1);
        var content = TestNode.Bytes(1, 2_500_000);
        var exchange = new ObjectExchange(_stage, new ObjectClient(network, TestNode.MaxBytes, Patience), Run);
        var hash = exchange.Put(stream => stream.Write(content));
        exchange.Begin(new Dictionary<string, IReadOnlyList<string>> { [hash] = [_port.Address] }, [_port.Address]);
        exchange.Secure([hash]);
        Assert.Equal([hash], _holder.Holds(Run, [hash]));
        _stage.Drop(Run);
        Assert.Equal(content, File.ReadAllBytes(exchange.Verified(hash)));
    }

    [Fact]
    public void A_stranger_gets_nothing_and_leaves_nothing()
    {
        using var network = Network("stage", 2);
        var client = new ObjectClient(network, TestNode.MaxBytes, Patience);
        var hash = _holder.Put(Run, 1, stream => stream.Write("secret"u8));
        var other = _stage.Put(Run, 1, stream => stream.Write("planted"u8));
        Assert.Contains(_port.Address, Assert.Throws<IOException>(() => client.Fetch(_port.Address, Run, hash, _stage)).Message);
        Assert.Throws<IOException>(() => client.Push(_port.Address, Run, 1, other, _stage.PathOf(Run, other)));
        Assert.Empty(_holder.Holds(Run, [other]));
        Assert.Empty(_stage.Holds(Run, [hash]));
    }

    private static PeerNetwork Network(string node, byte secret) => new(new PeerSettings
    {
        Node = node,
        Incarnation = $"{node}-1",
        Secret = [.. Enumerable.Repeat(secret, 32)],
        HandshakeTimeout = Patience,
    });
}
