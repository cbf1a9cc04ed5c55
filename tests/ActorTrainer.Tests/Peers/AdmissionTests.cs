using System.Net;
using System.Net.Sockets;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.DataPlane.Peers.Admission;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.Peers;

public sealed class AdmissionTests
{
    [Fact]
    public async Task Nodes_with_the_same_secret_meet_and_know_each_other()
    {
        var met = new TaskCompletionSource<(string, string)>();
        using var pair = new PeerPair();
        using var other = new PeerNetwork(new PeerSettings { Node = "c", Incarnation = "c7", Secret = PeerPair.Secret(1) });
        other.Serve(PeerPurpose.Objects, connection =>
        {
            met.SetResult((connection.Node, connection.Incarnation));
            connection.Dispose();
        });
        other.Listen();

        using var connection = pair.Caller.Connect(other.Address, PeerPurpose.Objects, PeerPair.Patience);

        Assert.Equal(("c", "c7"), (connection.Node, connection.Incarnation));
        Assert.Equal(("a", "a1"), await met.Task.WaitAsync(PeerPair.Patience));
        Assert.Equal(-1, connection.Stream.ReadByte());
        Assert.Equal((1, 0), (other.Counters.Accepted, other.Counters.Refused));
    }

    [Fact]
    public void An_admitted_connection_carries_megabytes_both_ways()
    {
        using var pair = new PeerPair();
        using var connection = pair.Connect();
        var sent = new byte[3_000_000];
        new Random(5).NextBytes(sent);
        var writer = new Thread(() => connection.Stream.Write(sent));
        writer.Start();

        var received = new byte[sent.Length];
        connection.Stream.ReadExactly(received);

        writer.Join();
        Assert.Equal(sent, received);
    }

    [Fact]
    public void Another_secret_is_refused_and_both_sides_say_so()
    {
        using var pair = new PeerPair(caller: settings => settings with { Secret = PeerPair.Secret(2) });

        var e = Assert.Throws<IOException>(() => pair.Connect());

        Assert.Contains("another cluster secret", e.Message);
        pair.AwaitRefused(1);
        Assert.Contains("another cluster secret", Assert.Single(pair.Reasons));
        Assert.Equal(0, pair.Listener.Counters.Accepted);
    }

    [Fact]
    public void No_secret_is_another_secret()
    {
        using var pair = new PeerPair(caller: settings => settings with { Secret = null });

        Assert.Contains("another cluster secret", Assert.Throws<IOException>(() => pair.Connect()).Message);
    }

    [Fact]
    public void A_listener_that_does_not_know_the_secret_is_not_believed()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var pair = new PeerPair();
        var impostor = new Thread(() =>
        {
            using var stream = new NetworkStream(listener.Accept(), ownsSocket: true);
            var greeting = Records.Read(stream);
            Records.Write(stream, new PeerGreeting("b", "b1", PeerPurpose.Payloads, new byte[PeerGreeting.NonceLength]).ToBytes());
            var proof = Records.Read(stream);
            Assert.NotEmpty(greeting);
            Records.Write(stream, proof);
        });
        impostor.Start();

        var e = Assert.Throws<IOException>(() => pair.Caller.Connect(listener.LocalEndPoint!.ToString()!, PeerPurpose.Payloads, PeerPair.Patience));

        impostor.Join();
        Assert.Contains("another cluster secret", e.Message);
    }

    [Fact]
    public void Another_version_is_told_which_one_is_spoken()
    {
        using var pair = new PeerPair();
        using var stream = Records.Dial(pair.Listener.Address);
        Records.Write(stream, new PeerGreeting("x", "x1", PeerPurpose.Payloads, new byte[PeerGreeting.NonceLength]).ToBytes(), version: 9);

        var head = new byte[PeerHandshake.HeadLength];
        stream.ReadExactly(head);

        Assert.Equal([.. "ATpn"u8, PeerHandshake.Version, (byte)PeerAnswer.OtherVersion, 0, 0], head);
        pair.AwaitRefused(1);
        Assert.Contains("version 9", Assert.Single(pair.Reasons));
    }

    [Fact]
    public void A_refusal_by_version_reads_as_advice()
    {
        Assert.Contains("version 9 of the handshake", NotAdmittedException.Told(PeerAnswer.OtherVersion, 9).Message);
    }

    [Fact]
    public void A_purpose_that_nobody_serves_is_refused()
    {
        using var pair = new PeerPair();

        Assert.Contains("purpose", Assert.Throws<IOException>(() => pair.Connect(PeerPurpose.Objects)).Message);
        pair.AwaitRefused(1);
    }

    [Fact]
    public void A_port_where_nothing_listens_is_known_at_once()
    {
        using var pair = new PeerPair();
        using var silent = new PeerNetwork(new PeerSettings { Node = "c", Incarnation = "c1" });

        Assert.Throws<PeerRefusedException>(() => pair.Caller.Connect(silent.Address, PeerPurpose.Payloads, TimeSpan.FromMinutes(5)));
    }

    [Fact]
    public void A_listener_that_says_nothing_costs_no_more_than_the_patience()
    {
        using var mute = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        mute.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        mute.Listen();
        using var pair = new PeerPair();

        var e = Assert.Throws<IOException>(() =>
            pair.Caller.Connect(mute.LocalEndPoint!.ToString()!, PeerPurpose.Payloads, TimeSpan.FromMilliseconds(200)));

        Assert.Contains("within 0.2 s", e.Message);
    }

    [Fact]
    public void A_stranger_that_drips_bytes_is_cut_off_by_the_deadline_of_the_whole_handshake()
    {
        using var pair = new PeerPair(settings => settings with { HandshakeTimeout = TimeSpan.FromMilliseconds(300) });
        using var stream = Records.Dial(pair.Listener.Address);
        var dripped = 0;
        using var drip = new Timer(_ =>
        {
            try
            {
                // Each byte well within the time that a read may take.
                stream.WriteByte("ATpn\u0001\u0000\u0080\u0000"u8[Math.Min(dripped++, 7)]);
            }
            catch (IOException)
            {
            }
        }, null, 0, 50);

        pair.AwaitRefused(1);

        Assert.Contains("too long", Assert.Single(pair.Reasons));
        pair.Talk();
    }

    [Fact]
    public void Connections_above_the_limit_are_turned_away_and_a_place_becomes_free_again()
    {
        using var pair = new PeerPair(settings => settings with { MaxConnections = 2 });
        using var first = pair.Connect();
        using (pair.Connect())
        {
            var e = Assert.Throws<IOException>(() => pair.Connect());
            Assert.Contains("admitted", e.Message);
            Assert.Equal(1, pair.Listener.Counters.Refused);
        }

        Assert.True(SpinWait.SpinUntil(() => Works(pair), PeerPair.Patience));
    }

    [Fact]
    public void A_handler_that_fails_closes_its_connection_and_is_counted()
    {
        using var pair = new PeerPair();
        using var other = new PeerNetwork(new PeerSettings { Node = "c", Incarnation = "c1", Secret = PeerPair.Secret(1) });
        other.Serve(PeerPurpose.Payloads, _ => throw new InvalidDataException("a frame of no kind"));
        other.Listen();

        using var connection = pair.Caller.Connect(other.Address, PeerPurpose.Payloads, PeerPair.Patience);

        Assert.Equal(-1, connection.Stream.ReadByte());
        Assert.True(SpinWait.SpinUntil(() => other.Counters.Failed == 1, PeerPair.Patience));
        Assert.Equal((1, 0), (other.Counters.Accepted, other.Counters.Refused));
    }

    [Fact]
    public async Task Disposal_wakes_readers_on_both_sides_and_frees_the_port()
    {
        var pair = new PeerPair();
        using var connection = pair.Connect();
        var woken = new TaskCompletionSource();
        var reader = new Thread(() =>
        {
            try
            {
                connection.Stream.ReadByte();
            }
            catch (IOException)
            {
            }

            woken.SetResult();
        });
        reader.Start();

        pair.Dispose();

        await woken.Task.WaitAsync(PeerPair.Patience);
        var (host, port) = PeerAddress.Parse(pair.Listener.Address);
        using var successor = new PeerNetwork(new PeerSettings { Node = "b", Incarnation = "b2", Address = host, Port = port });
        successor.Listen();
        Assert.Equal(pair.Listener.Address, successor.Address);
    }

    [Theory]
    [InlineData("0.0.0.0", "wildcard")]
    [InlineData("::", "wildcard")]
    [InlineData("192.0.2.1", "cluster.address")]
    public void An_address_to_bind_must_be_one_of_this_machine(string address, string complaint)
    {
        var e = Assert.Throws<RefusedException>(() => new PeerNetwork(new PeerSettings { Node = "a", Incarnation = "a1", Address = address }));
        Assert.Contains(complaint, e.Message);
    }

    [Fact]
    public void A_taken_port_is_refused_with_its_number()
    {
        using var pair = new PeerPair();
        var (host, port) = PeerAddress.Parse(pair.Listener.Address);

        var e = Assert.Throws<RefusedException>(() => new PeerNetwork(new PeerSettings { Node = "a", Incarnation = "a1", Address = host, Port = port }));

        Assert.Contains($"{port}", e.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    public void A_node_name_is_of_plain_characters(string name)
    {
        Assert.Throws<RefusedException>(() => new PeerNetwork(new PeerSettings { Node = name, Incarnation = "a1" }));
    }

    private static bool Works(PeerPair pair)
    {
        try
        {
            pair.Talk();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
