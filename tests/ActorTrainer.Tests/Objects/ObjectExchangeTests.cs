using System.Security.Cryptography;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.Objects;

public sealed class ObjectExchangeTests
{
    private const string Run = TestNode.Run;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3_000_000)]
    public void What_is_saved_is_on_every_replica_before_it_counts_and_can_be_loaded_elsewhere(int length)
    {
        using var stage = new TestNode();
        using var replica1 = new TestNode();
        using var replica2 = new TestNode();
        using var later = new TestNode();
        var content = TestNode.Bytes(1, length);
        var exchange = Exchange(stage, [], [replica1, replica2]);
        exchange.BeginSave(12);
        var hash = exchange.Put(stream => stream.Write(content));
        exchange.Secure([hash]);
        foreach (var replica in new[] { replica1, replica2 })
        {
            Assert.Equal(content, replica.Read(hash));
            Assert.Equal(12, replica.Store.StepOf(Run, hash));
        }

        var elsewhere = Exchange(later, [(hash, replica2)], []);
        Assert.Equal(content, File.ReadAllBytes(elsewhere.Verified(hash)));
        Assert.Equal(12, later.Store.StepOf(Run, hash));
    }

    [Fact]
    public void Bytes_that_a_replica_holds_are_not_sent_again_but_belong_to_the_later_checkpoint()
    {
        using var stage = new TestNode();
        using var replica = new TestNode();
        var hash = stage.Put(TestNode.Bytes(2, 1000), step: 9);
        replica.Put(TestNode.Bytes(2, 1000), step: 3);
        File.WriteAllText(stage.Store.PathOf(Run, hash), "what would be refused if it were sent");
        File.SetLastWriteTimeUtc(stage.Store.PathOf(Run, hash), DateTime.UnixEpoch.AddSeconds(9));
        Exchange(stage, [], [replica]).Secure([hash]);
        Assert.Equal(9, replica.Store.StepOf(Run, hash));
    }

    [Fact]
    public void A_damaged_copy_on_a_replica_is_replaced()
    {
        using var stage = new TestNode();
        using var replica = new TestNode();
        var content = TestNode.Bytes(3, 1000);
        var hash = stage.Put(content);
        replica.Put(content);
        replica.Damage(hash);
        Exchange(stage, [], [replica]).Secure([hash]);
        Assert.Equal(content, replica.Read(hash));
    }

    [Fact]
    public void Sources_that_are_gone_empty_damaged_or_lying_are_passed_over()
    {
        using var node = new TestNode();
        using var gone = new TestNode();
        using var empty = new TestNode();
        using var damaged = new TestNode();
        using var lying = new TestNode(connection =>
        {
            _ = PeerHeaders.Read<ObjectProtocol.Request>(connection.Stream);
            PeerHeaders.Write(connection.Stream, new ObjectProtocol.Answer(ObjectProtocol.Reply.Ok, 100_000, 1, ""));
            connection.Stream.Write(new byte[100_000]);
        });
        using var good = new TestNode();
        var content = TestNode.Bytes(4, 100_000);
        var hash = good.Put(content, step: 5);
        damaged.Put(content);
        damaged.Damage(hash);
        gone.StopServing();
        var exchange = Exchange(node, [(hash, gone), (hash, empty), (hash, damaged), (hash, lying), (hash, good)], []);
        Assert.Equal(content, File.ReadAllBytes(exchange.Verified(hash)));
        Assert.Single(node.Files);
    }

    [Fact]
    public void When_no_source_helps_the_refusal_says_who_was_asked_and_what_each_said()
    {
        using var node = new TestNode();
        using var gone = new TestNode();
        using var empty = new TestNode();
        using var damaged = new TestNode();
        var content = TestNode.Bytes(5, 1000);
        var hash = damaged.Put(content);
        damaged.Damage(hash);
        gone.StopServing();
        var exchange = Exchange(node, [(hash, gone), (hash, empty), (hash, damaged)], []);
        var message = Assert.Throws<RefusedException>(() => exchange.Verified(hash)).Message;
        Assert.Contains($"{gone.Address}: nothing listens", message);
        Assert.Contains($"{empty.Address} (node at {empty.Address}): refused: no such object", message);
        Assert.Contains($"{damaged.Address} (node at {damaged.Address}): refused: the object is damaged", message);
        Assert.DoesNotContain(damaged.Folder, message);
        Assert.Empty(node.Files);
    }

    [Fact]
    public void A_damaged_local_object_is_replaced_by_a_good_copy()
    {
        using var node = new TestNode();
        using var good = new TestNode();
        var content = TestNode.Bytes(6, 1000);
        var hash = good.Put(content);
        node.Put(content);
        node.Damage(hash);
        Assert.Equal(content, File.ReadAllBytes(Exchange(node, [(hash, good)], []).Verified(hash)));
    }

    [Fact]
    public void A_source_that_announces_too_much_is_passed_over_before_a_byte_is_stored()
    {
        using var node = new TestNode();
        using var greedy = new TestNode(connection =>
        {
            while (PeerHeaders.Read<ObjectProtocol.Request>(connection.Stream) is not null)
            {
                PeerHeaders.Write(connection.Stream, new ObjectProtocol.Answer(ObjectProtocol.Reply.Ok, long.MaxValue, 1, ""));
            }
        });
        var hash = new string('a', 64);
        var message = Assert.Throws<RefusedException>(() => Exchange(node, [(hash, greedy)], []).Verified(hash)).Message;
        Assert.Contains("at most", message);
        Assert.Empty(node.Files);
    }

    [Fact]
    public void A_replica_that_dies_in_the_middle_of_a_copy_is_named()
    {
        using var stage = new TestNode();
        using var replica = new TestNode();
        using var dying = new TestNode(connection =>
        {
            _ = PeerHeaders.Read<ObjectProtocol.Request>(connection.Stream);
            PeerHeaders.Write(connection.Stream, new ObjectProtocol.Answer(ObjectProtocol.Reply.Send, 0, 0, ""));
            connection.Stream.ReadExactly(new byte[1000]);
        });
        var hash = stage.Put(TestNode.Bytes(7, 3_000_000));
        var failure = Assert.Throws<IOException>(() => Exchange(stage, [], [replica, dying]).Secure([hash]));
        Assert.Contains(dying.Address, failure.Message);
        Assert.DoesNotContain(replica.Address, failure.Message);
        Assert.Equal([hash], replica.Store.Holds(Run, [hash])); // the others have theirs
    }

    [Fact]
    public void A_stage_that_dies_in_the_middle_of_a_copy_leaves_nothing_on_the_replica()
    {
        var content = TestNode.Bytes(8, 1_000_000);
        using var replica = new TestNode();
        using (var network = new LoopbackNetwork())
        using (var connection = network.Connect(replica.Address, PeerPurpose.Objects, TestNode.Patience))
        {
            PeerHeaders.Write(connection.Stream, ObjectProtocol.Ask(
                ObjectProtocol.Question.Put, Run, [Convert.ToHexStringLower(SHA256.HashData(content))], 3, content.Length));
            Assert.Equal(ObjectProtocol.Reply.Send, PeerHeaders.Read<ObjectProtocol.Answer>(connection.Stream)!.Kind);
            connection.Stream.Write(content, 0, 600_000);
        }

        replica.StopServing();
        Assert.Empty(replica.Files);
        Assert.Equal(1, replica.Counters.Malformed);
    }

    [Fact]
    public void A_replica_that_is_gone_or_refuses_is_named()
    {
        using var stage = new TestNode();
        using var gone = new TestNode();
        using var full = new TestNode(connection =>
        {
            _ = PeerHeaders.Read<ObjectProtocol.Request>(connection.Stream);
            PeerHeaders.Write(connection.Stream, ObjectProtocol.Answer.Refused(new string('x', 5000)));
        });
        var hash = stage.Put([1, 2, 3]);
        gone.StopServing();
        var message = Assert.Throws<IOException>(() => Exchange(stage, [], [gone, full]).Secure([hash])).Message;
        Assert.Contains($"{gone.Address}: nothing listens", message);
        Assert.Contains($"{full.Address} (node at {full.Address}): refused: xxx", message);
    }

    [Fact]
    public void A_silent_replica_costs_no_more_than_the_patience()
    {
        using var stage = new TestNode();
        using var released = new ManualResetEventSlim();
        using var silent = new TestNode(_ => released.Wait());
        var client = new ObjectClient(new LoopbackNetwork(), TestNode.MaxBytes, TimeSpan.FromMilliseconds(50));
        var exchange = new ObjectExchange(stage.Store, client, Run);
        exchange.Begin(new Dictionary<string, IReadOnlyList<string>>(), [silent.Address]);
        var hash = stage.Put([1]);
        Assert.Contains(silent.Address, Assert.Throws<IOException>(() => exchange.Secure([hash])).Message);
        released.Set();
    }

    [Fact]
    public void Nodes_that_share_a_folder_copy_nothing()
    {
        using var shared = new TestNode();
        var first = new ObjectExchange(shared.Store, null, Run);
        var second = new ObjectExchange(new NodeStore(shared.Folder), null, Run);
        first.Begin(new Dictionary<string, IReadOnlyList<string>>(), ["127.0.0.1:1"]);
        first.BeginSave(4);
        var hash = first.Put(stream => stream.Write("state"u8));
        first.Secure([hash]);
        Assert.Equal("state", File.ReadAllText(second.Verified(hash)));
        Assert.Throws<RefusedException>(() => second.Verified(new string('b', 64)));
    }

    private static ObjectExchange Exchange(TestNode node, (string Hash, TestNode Source)[] sources, TestNode[] replicas)
    {
        var exchange = new ObjectExchange(node.Store, node.Client, Run);
        exchange.Begin(
            sources.GroupBy(pair => pair.Hash).ToDictionary(
                group => group.Key, group => (IReadOnlyList<string>)[.. group.Select(pair => pair.Source.Address)]),
            [.. replicas.Select(replica => replica.Address)]);
        return exchange;
    }
}
