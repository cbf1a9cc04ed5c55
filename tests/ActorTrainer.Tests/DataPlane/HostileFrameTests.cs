using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.DataPlane.Tcp;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using TorchSharp;
using Xunit;

namespace ActorTrainer.Tests.DataPlane;

/// <summary>Admitted peers that send anything. Counts the live tensors of the whole process, so nothing may run beside it.</summary>
[Collection("alone")]
public class HostileFrameTests() : TestKit(ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF"), "hostile")
{
    private const long MaxPayload = 64 * 1024;

    /// <summary>Managed bytes that serving one connection may allocate: its buffers and an exception, nothing that grows with what is announced.</summary>
    private const long MaxAllocated = 32 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TcpDataPlaneOptions Options = new() { MaxPayloadBytes = MaxPayload, WindowBytes = MaxPayload };

    [Fact]
    public void Seventy_thousand_bad_frames_are_counted_and_cost_no_memory_and_a_good_one_still_arrives()
    {
        const int Bad = 60_000;
        const int Replayed = 10_000;
        var (random, peers, counters) = (new Random(5), new PeerCounters(), new PlaneCounters());
        var frames = new FrameBytes(random, Options);
        long delivered = 0;
        using var receiver = new PayloadReceiver(Options, new TensorPayloadReader(), peers, counters, (_, key) => key.Attempt == 1, (_, key, payload) =>
        {
            Assert.Equal(++delivered, key.MicroBatch);
            payload.Dispose();
            return true;
        });
        Serve(receiver, [.. FrameBytes.Open(), .. frames.Good(1)]); // warms up
        var tensors = torch.Tensor.TotalCount;
        var most = 0L;

        for (var i = 0; i < Bad; i++)
        {
            var prefix = i % 10 == 0 ? frames.Good(delivered + 1) : [];
            var bad = frames.Bad(i % FrameBytes.Faults, delivered + 1 + (prefix.Length > 0 ? 1 : 0));
            var before = peers.Malformed;

            most = Math.Max(most, Serve(receiver, i % 50 == 7 && bad.Length > 40 ? bad : [.. FrameBytes.Open(), .. prefix, .. bad]));

            Assert.True(peers.Malformed == before + 1, $"Case {i}, fault {i % FrameBytes.Faults}, was not counted.");
        }

        for (var i = 0; i < Replayed; i += 10)
        {
            var sequences = Enumerable.Range(0, 10).Select(_ => random.NextInt64(1, delivered + 1));
            most = Math.Max(most, Serve(receiver, [.. FrameBytes.Open(), .. sequences.SelectMany(sequence => frames.Good(sequence))]));
        }

        Assert.Equal((Bad, Replayed), (peers.Malformed, peers.Replayed));
        Assert.InRange(most, 1, MaxAllocated);
        Assert.InRange(torch.Tensor.TotalCount, 0, tensors);
        var last = delivered;
        Serve(receiver, [.. FrameBytes.Open(known: true), .. frames.Good(last + 1, elements: 5000), .. frames.Good(last + 2, attempt: 2)]);
        Assert.Equal((last + 1, 1), (delivered, counters.Stale));
        Assert.Equal(delivered, counters.FramesReceived);
    }

    [Fact]
    public void A_live_port_survives_bad_frames_and_serves_the_next_sender()
    {
        const int Connections = 360;
        var frames = new FrameBytes(new Random(6), Options);
        using var victim = new PlaneNode(new TensorPayloadReader(), Options);
        using var stranger = new PlainNetwork();
        using var friend = new PlaneNode(new TensorPayloadReader(), Options);
        var receiver = CreateTestProbe();
        string[] peers = [friend.Address, victim.Address];
        victim.Plane.Join("run", 1, 1, receiver, peers);
        for (var i = 0; i < Connections; i++)
        {
            using var connection = stranger.Connect(victim.Address, PeerPurpose.Payloads, Patience);
            connection.Stream.Write([.. FrameBytes.Open((ulong)i), .. frames.Bad(i % FrameBytes.Faults, 1)]);
        }

        AwaitAssert(() => Assert.Equal(Connections, victim.Network.Counters.Malformed), Patience, TimeSpan.FromMilliseconds(5));
        friend.Plane.Join("run", 1, 0, CreateTestProbe(), peers);
        friend.Plane.Send(0, 1, TcpDataPlaneTests.Key(0), new TensorPayload(torch.ones(3)));

        using var payload = (TensorPayload)receiver.ExpectMsg<Arrived>(Patience).Payload;
        Assert.Equal([1f, 1f, 1f], payload.Tensors[0].data<float>().ToArray());
    }

    [Fact]
    public void More_sessions_than_a_cluster_has_push_the_oldest_out()
    {
        var (peers, counters) = (new PeerCounters(), new PlaneCounters());
        using var receiver = new PayloadReceiver(Options, new TensorPayloadReader(), peers, counters, (_, _) => true, (_, _, payload) =>
        {
            payload.Dispose();
            return true;
        });
        for (var i = 0UL; i < 3 * IncomingSessions.Maximum; i++)
        {
            Serve(receiver, FrameBytes.Open(i));
        }

        Assert.False(Welcome(receiver, FrameBytes.Open(5, known: true)).Known);
        Assert.True(Welcome(receiver, FrameBytes.Open(3UL * IncomingSessions.Maximum - 1, known: true)).Known);
    }

    [Fact]
    public void A_tensor_larger_than_its_frame_is_refused_before_it_is_allocated()
    {
        var frame = new FrameReader(new MemoryStream(new FrameBytes(new Random(7), Options).Bad(6, 1)));
        Assert.True(frame.Next(out _));

        var refused = Assert.Throws<InvalidDataException>(() => new TensorPayloadReader().Read(frame));

        Assert.Contains("announces a tensor of 2147483648 bytes and has only 64 left", refused.Message);
    }

    private static FrameHeader Welcome(PayloadReceiver receiver, byte[] bytes)
    {
        var stream = new TwoWayStream(bytes);
        receiver.Handle(new PeerConnection(stream, "peer", "incarnation"));
        Assert.True(new FrameReader(new MemoryStream(stream.Answers.ToArray())).Next(out var welcome));
        return welcome;
    }

    /// <summary>Lets the receiver serve a connection of these bytes; the managed bytes that this allocated.</summary>
    private static long Serve(PayloadReceiver receiver, byte[] bytes)
    {
        using var connection = new PeerConnection(new TwoWayStream(bytes), "peer", "incarnation");
        var before = GC.GetAllocatedBytesForCurrentThread();
        receiver.Handle(connection);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>A connection over which these bytes come.</summary>
    private sealed class TwoWayStream(byte[] bytes) : MemoryStream(bytes, writable: false)
    {
        public MemoryStream Answers { get; } = new(4096);

        public override bool CanWrite => true;

        public override void Write(ReadOnlySpan<byte> buffer) => Answers.Write(buffer);

        public override void Write(byte[] buffer, int offset, int count) => Answers.Write(buffer, offset, count);
    }
}
