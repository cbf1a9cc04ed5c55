using System.Collections.Concurrent;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Tcp;
using ActorTrainer.Tests.Actors;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using TorchSharp;
using Xunit;

namespace ActorTrainer.Tests.DataPlane;

/// <summary>What a link does when connections break, peers change or credit ends.</summary>
public class LinkTests() : TestKit(ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF"), "links")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TcpDataPlaneOptions Options = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Connections_cut_at_any_byte_lose_and_double_nothing(int seed)
    {
        const int Rounds = 6;
        const int Payloads = 30;
        const int Cuts = 12;
        var random = new Random(seed);
        using var one = new PlaneNode(new TensorPayloadReader());
        using var two = new PlaneNode(new TensorPayloadReader());
        string[] peers = [one.Address, two.Address];
        for (var round = 1; round <= Rounds; round++)
        {
            var cuts = new ConcurrentQueue<(long Writes, long Reads)>(
                Enumerable.Range(0, Cuts).Select(_ => random.Next(3) > 0 ? (random.NextInt64(100_000), long.MaxValue) : (long.MaxValue, random.NextInt64(300))));
            one.Network.Wrap = stream => cuts.TryDequeue(out var cut) ? new CuttingStream(stream, cut.Writes, cut.Reads) : stream;
            var (sender, receiver) = (CreateTestProbe(), CreateTestProbe());
            two.Plane.Join("run", round, 1, receiver, peers);
            one.Plane.Join("run", round, 0, sender, peers);
            var sent = Enumerable.Range(0, Payloads).Select(_ => new byte[random.Next(40) * random.Next(400) * 4]).ToList();
            for (var i = 0; i < Payloads; i++)
            {
                random.NextBytes(sent[i]);
                var tensor = torch.empty(sent[i].Length / 4, torch.int32);
                sent[i].CopyTo(tensor.bytes);
                one.Plane.Send(0, 1, TcpDataPlaneTests.Key(i, round), new TensorPayload(tensor));
            }

            for (var i = 0; i < Payloads; i++)
            {
                var arrived = receiver.ExpectMsg<Arrived>(Patience);
                using var payload = (TensorPayload)arrived.Payload;
                Assert.Equal(TcpDataPlaneTests.Key(i, round), arrived.Key);
                Assert.True(sent[i].AsSpan().SequenceEqual(payload.Tensors[0].bytes));
            }

            Soon(() => Assert.Equal(0, one.Plane.Counters.Queued));
            receiver.ExpectNoMsg(0);
            sender.ExpectNoMsg(0);
        }

        Assert.Equal(Rounds * Payloads, two.Plane.Counters.FramesReceived);
        Assert.InRange(one.Plane.Counters.Resumed, Rounds, Rounds * Cuts);
        Assert.InRange(two.Network.Counters.Malformed, 1, Rounds * (Cuts + 1));
    }

    [Fact]
    public void A_frame_whose_acknowledgement_was_lost_is_not_sent_again()
    {
        using var one = new PlaneNode(new NumberPayloadReader());
        using var received = new BlockingCollection<long>();
        using var two = new ScriptedReceiver((connection, frames, answers, open) =>
        {
            // The first connection takes two frames and breaks without a word; the second says that it has both.
            answers.WriteFrame(new FrameHeader(FrameKind.Welcome, open.Session, Sequence: connection == 1 ? 0 : 2, Known: true, Granted: 1000));
            while ((connection > 1 || received.Count < 2) && frames.Next(out var header))
            {
                frames.Skip();
                frames.Finish();
                received.Add(header.Sequence);
            }
        });
        one.Plane.Join("run", 1, 0, CreateTestProbe(), [one.Address, two.Address]);
        var payloads = Enumerable.Range(0, 3).Select(i => new NumberPayload(i)).ToList();

        payloads.ForEach(payload => one.Plane.Send(0, 1, TcpDataPlaneTests.Key(0), payload));

        Soon(() => Assert.Equal([1, 2, 3], received));
        Assert.Equal([true, true, false], payloads.Select(p => p.IsDisposed));
        Assert.Equal(1, one.Plane.Counters.Resumed);
    }

    [Fact]
    public void Credits_bound_the_bytes_under_way()
    {
        // Every payload has 84 bytes; the receiver grants four of them, later six.
        using var one = new PlaneNode(new NumberPayloadReader(), Options with { LinkPatience = TimeSpan.FromSeconds(1) });
        using var received = new BlockingCollection<FrameHeader>();
        using var two = new ScriptedReceiver((_, frames, answers, open) =>
        {
            var (last, granted) = (0L, 4 * 84L + 83);
            answers.WriteFrame(new FrameHeader(FrameKind.Welcome, open.Session, Known: true, Granted: granted));
            while (frames.Next(out var header))
            {
                frames.Skip();
                frames.Finish();
                received.Add(header);
                last = Math.Max(last, header.Sequence);

                // The sender asks whether anybody is there when it may not send.
                if (header.Kind == FrameKind.Ping)
                {
                    answers.WriteFrame(new FrameHeader(FrameKind.Ack, open.Session, Sequence: last, Granted: granted));
                    granted = 6 * 84;
                }
            }
        });
        one.Plane.Join("run", 1, 0, CreateTestProbe(), [one.Address, two.Address]);
        for (var i = 0; i < 10; i++)
        {
            one.Plane.Send(0, 1, TcpDataPlaneTests.Key(i), new NumberPayload(new double[10]));
        }

        Soon(() => Assert.True(received.Count >= 9));

        // Four frames; then it asks, is told the old credit, and asks again; then the other two.
        Assert.Equal([1, 2, 3, 4, 0, 0, 5, 6, 0], received.Take(9).Select(h => h.Sequence));
        Assert.Equal([FrameKind.Ping, FrameKind.Ping, FrameKind.Ping], received.Take(9).Where(h => h.Sequence == 0).Select(h => h.Kind));
        Assert.Equal(4, one.Plane.Counters.Queued);
    }

    [Fact]
    public void A_peer_that_was_restarted_under_its_address_loses_the_link()
    {
        using var one = new PlaneNode(new NumberPayloadReader());
        using var two = new PlaneNode(new NumberPayloadReader());
        var stage = CreateTestProbe();
        one.Plane.Join("run", 1, 0, stage, [one.Address, two.Address]);
        Soon(() => Assert.Equal(1, one.Plane.Counters.Links));

        two.Network.Incarnation = Guid.NewGuid().ToString("N");
        two.Network.CutAll();

        Assert.Contains("was restarted", stage.ExpectMsg<LinkLost>(Patience).Reason);
        Assert.Equal(0, one.Plane.Counters.Links);
    }

    [Fact]
    public void A_peer_that_has_forgotten_the_session_loses_the_link()
    {
        using var one = new PlaneNode(new NumberPayloadReader());
        using var two = new ScriptedReceiver((connection, _, answers, open) =>
        {
            Assert.Equal(connection > 1, open.Known);
            answers.WriteFrame(new FrameHeader(FrameKind.Welcome, open.Session, Known: !open.Known));
        });
        var stage = CreateTestProbe();

        one.Plane.Join("run", 1, 0, stage, [one.Address, two.Address]);

        Assert.Contains("forgotten", stage.ExpectMsg<LinkLost>(Patience).Reason);
    }

    [Fact]
    public void A_peer_that_falls_silent_with_its_connection_open_is_given_up_after_the_patience()
    {
        using var release = new ManualResetEventSlim();
        using var one = new PlaneNode(new NumberPayloadReader(), Options with { LinkPatience = TimeSpan.FromSeconds(0.4) });
        using var two = new ScriptedReceiver((connection, _, answers, open) =>
        {
            if (connection == 1)
            {
                answers.WriteFrame(new FrameHeader(FrameKind.Welcome, open.Session, Known: true, Granted: 1000));
            }

            release.Wait();
        });
        var stage = CreateTestProbe();

        one.Plane.Join("run", 1, 0, stage, [one.Address, two.Address]);

        Assert.Contains("did not come back within 0.4 s", stage.ExpectMsg<LinkLost>(Patience).Reason);
        release.Set();
    }

    [Fact]
    public void A_receiver_that_acknowledges_what_was_never_sent_is_not_believed()
    {
        using var one = new PlaneNode(new NumberPayloadReader());
        using var two = new ScriptedReceiver((connection, frames, answers, open) =>
        {
            answers.WriteFrame(new FrameHeader(FrameKind.Welcome, open.Session, Known: true, Granted: 1000));
            if (connection == 1)
            {
                answers.WriteFrame(new FrameHeader(FrameKind.Ack, open.Session, Sequence: 7, Granted: 1000));
            }

            frames.Next(out _);
        });
        var payload = new NumberPayload(1);
        one.Plane.Join("run", 1, 0, CreateTestProbe(), [one.Address, two.Address]);
        Soon(() => Assert.Equal(1, one.Plane.Counters.Resumed));

        one.Plane.Send(0, 1, TcpDataPlaneTests.Key(0), payload);

        Soon(() => Assert.True(one.Plane.Counters.FramesSent > 0));
        Assert.False(payload.IsDisposed);
    }

    [Fact]
    public void Ending_a_data_plane_disposes_what_it_still_held()
    {
        var payload = new NumberPayload(1);
        using (var one = new PlaneNode(new NumberPayloadReader()))
        {
            using var two = new ScriptedReceiver((_, frames, answers, open) =>
            {
                answers.WriteFrame(new FrameHeader(FrameKind.Welcome, open.Session, Known: true, Granted: 0));
                frames.Next(out var bye);
            });
            one.Plane.Join("run", 1, 0, CreateTestProbe(), [one.Address, two.Address]);
            one.Plane.Send(0, 1, TcpDataPlaneTests.Key(0), payload);
            Soon(() => Assert.Equal(1, one.Plane.Counters.Links));

            one.Plane.Dispose();

            Assert.Equal((0, 0), (one.Plane.Counters.Links, one.Plane.Counters.Queued));
            Assert.True(payload.IsDisposed);
        }
    }

    private void Soon(Action assertion) => AwaitAssert(assertion, Patience, TimeSpan.FromMilliseconds(2));
}
