using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Tcp;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.Actors;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using TorchSharp;
using Xunit;

namespace ActorTrainer.Tests.DataPlane;

public class TcpDataPlaneTests() : TestKit(ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF"), "plane")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TcpDataPlaneOptions Options = new();

    [Fact]
    public void Tensors_arrive_once_in_order_and_bit_for_bit()
    {
        using var one = new PlaneNode(new TensorPayloadReader());
        using var two = new PlaneNode(new TensorPayloadReader());
        var receiver = Pair(one, two).Second;
        using var generator = new torch.Generator(1);
        var sent = new List<byte[]>();
        for (var i = 0; i < 40; i++)
        {
            var tensor = torch.randn([i * i * 50, 7], generator: generator);
            sent.Add(tensor.bytes.ToArray());
            one.Plane.Send(0, 1, Key(i), new TensorPayload(tensor, torch.arange(i)));
        }

        for (var i = 0; i < 40; i++)
        {
            var arrived = receiver.ExpectMsg<Arrived>(Patience);
            using var payload = (TensorPayload)arrived.Payload;
            Assert.Equal(Key(i), arrived.Key);
            Assert.Equal(sent[i], payload.Tensors[0].bytes.ToArray());
            Assert.Equal(Enumerable.Range(0, i).Select(n => (long)n), payload.Tensors[1].data<long>().ToArray());
        }

        Soon(() => Assert.Equal(0, one.Plane.Counters.Queued));
        Assert.Equal((40, 40, 0), (one.Plane.Counters.FramesSent, two.Plane.Counters.FramesReceived, two.Plane.Counters.Stale));
        Assert.Equal(one.Plane.Counters.BytesSent, two.Plane.Counters.BytesReceived);
        Assert.Equal((0, 0), (two.Network.Counters.Malformed, two.Network.Counters.Replayed));
        receiver.ExpectNoMsg(0);
    }

    [Fact]
    public void A_payload_is_disposed_when_the_receiver_has_it()
    {
        using var one = new PlaneNode(new NumberPayloadReader());
        using var two = new PlaneNode(new NumberPayloadReader());
        var receiver = Pair(one, two).Second;
        var payload = new NumberPayload(1, 2, 3);

        one.Plane.Send(0, 1, Key(0), payload);

        Assert.Equal([1, 2, 3], ((NumberPayload)receiver.ExpectMsg<Arrived>(Patience).Payload).Values);
        Soon(() => Assert.True(payload.IsDisposed));
    }

    [Fact]
    public void What_is_for_a_stage_of_the_same_node_does_not_touch_the_wire()
    {
        using var node = new PlaneNode(new NumberPayloadReader());
        var (first, second) = (CreateTestProbe(), CreateTestProbe());
        node.Plane.Join("run", 1, 0, first, [node.Address, node.Address]);
        node.Plane.Join("run", 1, 1, second, [node.Address, node.Address]);
        node.Plane.Join("run", 1, IDataPlane.Dealer, CreateTestProbe(), [node.Address, node.Address]);
        var (one, two) = (new NumberPayload(1), new NumberPayload(2));

        node.Plane.Send(0, 1, Key(0), one);
        node.Plane.Send(IDataPlane.Dealer, 0, Key(1), two);

        Assert.Same(one, second.ExpectMsg<Arrived>(Patience).Payload);
        Assert.Same(two, first.ExpectMsg<Arrived>(Patience).Payload);
        Assert.Equal((0, 0), (node.Plane.Counters.FramesSent, node.Plane.Counters.Links));
    }

    [Fact]
    public void A_peer_that_dies_is_noticed_with_nothing_to_send_and_reported_to_every_stage_that_works_with_it()
    {
        using var one = new PlaneNode(new NumberPayloadReader());
        using var two = new PlaneNode(new NumberPayloadReader());
        var (stage, dealer) = (CreateTestProbe(), CreateTestProbe());
        string[] peers = [one.Address, two.Address];
        one.Plane.Join("run", 1, 0, stage, peers);
        one.Plane.Join("run", 1, IDataPlane.Dealer, dealer, peers);
        Soon(() => Assert.Equal(1, one.Plane.Counters.Links));

        two.Kill();

        foreach (var probe in (TestProbe[])[stage, dealer])
        {
            var lost = probe.ExpectMsg<LinkLost>(Patience);
            Assert.Equal(("run", 1, 1), (lost.Run, lost.Attempt, lost.Peer));
            Assert.Contains(two.Address, lost.Reason);
        }

        var late = CreateTestProbe();
        one.Plane.Join("run", 1, 2, late, [.. peers, one.Address]);
        late.ExpectMsg<LinkLost>(Patience);
    }

    [Fact]
    public void Payloads_for_a_peer_that_is_gone_are_disposed()
    {
        using var one = new PlaneNode(new NumberPayloadReader());
        using var two = new PlaneNode(new NumberPayloadReader());
        var (stage, _) = Pair(one, two);
        Soon(() => Assert.Equal(1, one.Plane.Counters.Links));
        two.Kill();
        var payloads = Enumerable.Range(0, 10).Select(i => new NumberPayload(i)).ToList();

        payloads.ForEach(payload => one.Plane.Send(0, 1, Key(0), payload));

        stage.ExpectMsg<LinkLost>(Patience);
        Soon(() => Assert.All(payloads, payload => Assert.True(payload.IsDisposed)));
        Assert.Equal(0, one.Plane.Counters.Queued);
    }

    [Fact]
    public void A_restarted_peer_loses_the_link_and_the_next_attempt_has_a_new_one()
    {
        using var one = new PlaneNode(new NumberPayloadReader());
        var two = new PlaneNode(new NumberPayloadReader());
        var (stage, _) = Pair(one, two);
        Soon(() => Assert.Equal(1, one.Plane.Counters.Links));
        two.Dispose();
        using var again = new PlaneNode(new NumberPayloadReader(), address: two.Address);

        Assert.Matches("restarted|nothing listens|forgotten", stage.ExpectMsg<LinkLost>(Patience).Reason);
        var receiver = CreateTestProbe();
        again.Plane.Join("run", 2, 1, receiver, [one.Address, again.Address]);
        one.Plane.Join("run", 2, 0, stage, [one.Address, again.Address]);
        one.Plane.Send(0, 1, Key(0, attempt: 2), new NumberPayload(5));

        Assert.Equal([5.0], ((NumberPayload)receiver.ExpectMsg<Arrived>(Patience).Payload).Values);
        stage.ExpectNoMsg(0);
    }

    [Fact]
    public void A_link_to_an_address_where_nothing_listens_is_lost_at_once()
    {
        using var one = new PlaneNode(new NumberPayloadReader());
        var gone = new PlaneNode(new NumberPayloadReader());
        gone.Dispose();
        var stage = CreateTestProbe();

        one.Plane.Join("run", 1, 0, stage, [one.Address, "127.0.0.9:1", gone.Address]);

        Assert.Equal([1, 2], Enumerable.Range(0, 2).Select(_ => stage.ExpectMsg<LinkLost>(TimeSpan.FromSeconds(2)).Peer).Order());
        Assert.Equal(2, one.Plane.Counters.Lost);
    }

    [Fact]
    public void Late_payloads_of_an_earlier_attempt_are_dropped_and_counted_on_both_sides()
    {
        using var one = new PlaneNode(new NumberPayloadReader());
        using var two = new PlaneNode(new NumberPayloadReader());
        var (_, receiver) = Pair(one, two);
        two.Plane.Join("run", 2, 1, receiver, [one.Address, two.Address]);
        var late = new NumberPayload(1);

        one.Plane.Send(0, 1, Key(0), late);
        Soon(() => Assert.Equal(1, two.Plane.Counters.Stale));
        Soon(() => Assert.True(late.IsDisposed));
        one.Plane.Join("run", 2, 0, CreateTestProbe(), [one.Address, two.Address]);
        var later = new NumberPayload(2);
        one.Plane.Send(0, 1, Key(0), later);
        one.Plane.Send(0, 1, Key(1, attempt: 2), new NumberPayload(3));

        Assert.Equal([3.0], ((NumberPayload)receiver.ExpectMsg<Arrived>(Patience).Payload).Values);
        Assert.True(later.IsDisposed);
        Assert.Equal(1, one.Plane.Counters.Stale);
    }

    [Fact]
    public void A_stage_that_joins_an_attempt_that_is_over_gets_nothing()
    {
        using var one = new PlaneNode(new NumberPayloadReader());
        var stage = CreateTestProbe();
        one.Plane.Join("run", 2, 0, stage, []);
        one.Plane.Join("run", 1, 0, CreateTestProbe(), ["127.0.0.9:1"]);

        one.Plane.Send(0, 0, Key(0, attempt: 2), new NumberPayload(1));

        stage.ExpectMsg<Arrived>(Patience);
        Assert.Equal(0, one.Plane.Counters.Lost);
    }

    [Fact]
    public void A_payload_that_is_too_large_is_refused_with_the_setting_to_change()
    {
        using var one = new PlaneNode(new NumberPayloadReader(), Options with { MaxPayloadBytes = 100 });
        using var two = new PlaneNode(new NumberPayloadReader());
        Pair(one, two);
        var payload = new NumberPayload(new double[13]);

        var refused = Assert.Throws<RefusedException>(() => one.Plane.Send(0, 1, Key(0), payload));

        Assert.Contains("cluster.max_payload", refused.Message);
        Assert.True(payload.IsDisposed);
    }

    [Fact]
    public void A_link_whose_frames_the_receiver_refuses_again_and_again_is_lost()
    {
        using var one = new PlaneNode(new NumberPayloadReader(), Options with { PayloadKind = 2 });
        using var two = new PlaneNode(new NumberPayloadReader());
        var (stage, receiver) = Pair(one, two);

        one.Plane.Send(0, 1, Key(0), new NumberPayload(1));

        Assert.Contains("without taking a frame", stage.ExpectMsg<LinkLost>(Patience).Reason);
        receiver.ExpectNoMsg(0);
        Assert.True(two.Network.Counters.Malformed > 1);
    }

    internal static TransferKey Key(int microBatch, int attempt = 1) =>
        new("run", attempt, 1, Phase.Train, TransferKind.Activation, microBatch, 1);

    private void Soon(Action assertion) => AwaitAssert(assertion, Patience, TimeSpan.FromMilliseconds(2));

    private (TestProbe First, TestProbe Second) Pair(PlaneNode one, PlaneNode two)
    {
        var (first, second) = (CreateTestProbe(), CreateTestProbe());
        string[] peers = [one.Address, two.Address];
        two.Plane.Join("run", 1, 1, second, peers);
        one.Plane.Join("run", 1, 0, first, peers);
        return (first, second);
    }
}
