using System.Net.Sockets;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.DataPlane.Peers.Admission;
using Xunit;

namespace ActorTrainer.Tests.Peers;

public sealed class GarbageTests
{
    private const int Cases = 40_000;
    private const int LiveCases = 3_000;

    [Fact]
    public void Forty_thousand_malformed_and_replayed_handshakes_are_refused_and_cost_little_memory()
    {
        var listener = new PeerHandshake("b", "b1", PeerPair.Secret(1));
        var attacks = new Attacks(new Random(20260), Record(listener));
        var worst = 0L;
        var kinds = new Dictionary<string, int>();
        for (var i = 0; i < Cases; i++)
        {
            var attack = attacks.Next();
            var stream = new ScriptedStream(attack);
            var before = GC.GetAllocatedBytesForCurrentThread();

            var e = Xunit.Record.Exception(() => listener.Answer(stream, _ => true, _ => true));

            worst = Math.Max(worst, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.True(e is IOException, $"case {i}, {attack.Kind}: {e?.ToString() ?? "admitted"}");
            Assert.True(stream.Written <= 2 * (PeerHandshake.HeadLength + PeerHandshake.MaxBody), $"case {i}, {attack.Kind}: {stream.Written} bytes answered");
            kinds[attack.Kind] = kinds.GetValueOrDefault(attack.Kind) + 1;
        }

        Assert.Equal(12, kinds.Count);
        Assert.InRange(worst, 1, 64 << 10);
    }

    [Fact]
    public void Thousands_of_strangers_at_the_port_are_all_counted_and_a_node_is_admitted_afterwards()
    {
        using var pair = new PeerPair();
        var attacks = new Attacks(new Random(20261), Record(new PeerHandshake("b", "b1", PeerPair.Secret(1))));
        var buffer = new byte[2048];
        for (var i = 0; i < LiveCases; i++)
        {
            Throw(pair.Listener.Address, attacks.Next(), buffer);
        }

        pair.AwaitRefused(LiveCases);
        Assert.Equal((0, LiveCases), (pair.Listener.Counters.Accepted, pair.Listener.Counters.Refused));
        pair.Talk();
        Assert.Equal((1, LiveCases), (pair.Listener.Counters.Accepted, pair.Listener.Counters.Refused));
    }

    [Fact]
    public void Strangers_that_do_not_speak_tls_are_counted_and_a_node_is_admitted_afterwards()
    {
        const int Count = 300;
        using var pair = new PeerPair(
            settings => settings with { Tls = Certificates.Of("b") }, settings => settings with { Tls = Certificates.Of("a") });
        var random = new Random(20262);
        var attacks = new Attacks(random, Record(new PeerHandshake("b", "b1", PeerPair.Secret(1))));
        var buffer = new byte[2048];
        for (var i = 0; i < Count; i++)
        {
            var attack = attacks.Next();

            // Every other one begins as a TLS record does.
            byte[] first = i % 2 == 0 ? attack.First : [0x16, 0x03, 0x01, (byte)random.Next(0x42), .. attack.First];
            Throw(pair.Listener.Address, attack with { Kind = "tls", First = first }, buffer);
        }

        pair.AwaitRefused(Count);
        pair.Talk();
        Assert.Equal((1, Count), (pair.Listener.Counters.Accepted, pair.Listener.Counters.Refused));
    }

    /// <summary>The caller's records of a handshake that is admitted.</summary>
    private static (byte[] Greeting, byte[] Proof) Record(PeerHandshake listener)
    {
        var (near, far) = Pipes.Pair();
        using (near)
        using (far)
        {
            var recorder = new RecordingStream(near);
            var caller = new Thread(() => new PeerHandshake("a", "a1", PeerPair.Secret(1)).Call(recorder, PeerPurpose.Payloads, _ => true));
            caller.Start();
            Assert.Equal("a", listener.Answer(far, _ => true, _ => true).Node);
            caller.Join();
            return (recorder.Writes[0], recorder.Writes[1]);
        }
    }

    /// <summary>Sends an attack and waits for the listener to close; closing resets the connection.</summary>
    private static void Throw(string address, Attack attack, byte[] buffer)
    {
        using var stream = Records.Dial(address);
        try
        {
            stream.Write(attack.First);
            var answer = stream.Socket.Poll(attack.Kind is "replay" or "reflection" or "guessed proof" ? 1_000_000 : 0, SelectMode.SelectRead) ? stream.Read(buffer) : 0;
            stream.Write(attack.Second(buffer[..answer]));
            stream.Socket.Shutdown(SocketShutdown.Send);
            while (stream.Read(buffer) > 0)
            {
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // Refused while it was still sending.
        }
    }
}
