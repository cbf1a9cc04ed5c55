using System.Net.Security;
using System.Security.Authentication;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.DataPlane.Peers.Admission;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.Peers;

public sealed class TlsTests
{
    [Fact]
    public void Nodes_of_one_authority_meet_encrypted()
    {
        using var pair = Pair(Certificates.Of("b"), Certificates.Of("a"));
        using var connection = pair.Connect();
        var sent = new byte[2_000_000];
        new Random(6).NextBytes(sent);
        var writer = new Thread(() => connection.Stream.Write(sent));
        writer.Start();

        var received = new byte[sent.Length];
        connection.Stream.ReadExactly(received);

        writer.Join();
        Assert.Equal(sent, received);
        Assert.True(Assert.IsType<SslStream>(connection.Stream).IsMutuallyAuthenticated);
        Assert.Equal("b", connection.Node);
    }

    [Fact]
    public void A_certificate_of_another_authority_is_refused()
    {
        using var pair = Pair(Certificates.Of("b"), Certificates.Stranger("a"));

        Assert.Throws<IOException>(() => pair.Connect());

        pair.AwaitRefused(1);
        Assert.Contains("not valid in this cluster", Assert.Single(pair.Reasons));
        Assert.Equal(0, pair.Listener.Counters.Accepted);
    }

    [Fact]
    public void A_listener_of_another_authority_is_refused()
    {
        using var pair = Pair(Certificates.Stranger("b"), Certificates.Of("a"));

        Assert.Contains("not valid in this cluster", Assert.Throws<IOException>(() => pair.Connect()).Message);
        pair.AwaitRefused(1);
    }

    [Fact]
    public void A_certificate_that_has_ended_is_refused()
    {
        using var pair = Pair(Certificates.Of("b"), Certificates.Expired("a"));

        Assert.Throws<IOException>(() => pair.Connect());

        pair.AwaitRefused(1);
        Assert.Contains("NotTimeValid", Assert.Single(pair.Reasons));
    }

    [Fact]
    public void A_stranger_without_a_certificate_is_refused()
    {
        using var pair = Pair(Certificates.Of("b"), Certificates.Of("a"));
        using var ssl = new SslStream(Records.Dial(pair.Listener.Address));

        var e = Record.Exception(() =>
        {
            ssl.AuthenticateAsClient(new SslClientAuthenticationOptions
            {
                TargetHost = "",
                EnabledSslProtocols = SslProtocols.Tls13,
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            });
            Records.Write(ssl, new PeerGreeting("a", "a1", PeerPurpose.Payloads, new byte[PeerGreeting.NonceLength]).ToBytes());
            Records.Read(ssl);
        });

        Assert.True(e is IOException or AuthenticationException, $"{e}");
        pair.AwaitRefused(1);
        Assert.Contains("no certificate was shown", Assert.Single(pair.Reasons));
    }

    [Fact]
    public void A_node_that_says_it_is_another_than_its_certificate_is_refused()
    {
        using var pair = Pair(Certificates.Of("b"), Certificates.Of("a"));
        using var plain = Records.Dial(pair.Listener.Address);
        var (stream, names) = Certificates.Of("a").SecureCaller(plain);
        Assert.Equal(["b"], names!);

        var e = Assert.Throws<NotAdmittedException>(() =>
            new PeerHandshake("other", "o1", PeerPair.Secret(1)).Call(stream, PeerPurpose.Payloads, _ => true));

        Assert.Equal(PeerAnswer.OtherName, e.Answer);
        pair.AwaitRefused(1);
    }

    [Fact]
    public void A_listener_that_says_it_is_another_than_its_certificate_is_refused()
    {
        var (near, far) = Pipes.Pair();
        var listener = new Thread(() => Record.Exception(() => new PeerHandshake("b", "b1", null).Answer(far, _ => true, _ => true)));
        listener.Start();

        var e = Assert.Throws<NotAdmittedException>(() => new PeerHandshake("a", "a1", null).Call(near, PeerPurpose.Payloads, name => name == "c"));

        near.Dispose();
        listener.Join();
        Assert.Equal(PeerAnswer.OtherName, e.Answer);
    }

    [Fact]
    public void The_secret_is_asked_for_under_tls_as_well()
    {
        using var pair = new PeerPair(
            settings => settings with { Tls = Certificates.Of("b") },
            settings => settings with { Tls = Certificates.Of("a"), Secret = PeerPair.Secret(9) });

        Assert.Contains("another cluster secret", Assert.Throws<IOException>(() => pair.Connect()).Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_node_with_tls_and_one_without_do_not_meet_and_learn_why(bool listenerHasTls)
    {
        using var pair = Pair(listenerHasTls ? Certificates.Of("b") : null, listenerHasTls ? null : Certificates.Of("a"));

        var e = Assert.Throws<IOException>(() => pair.Connect());

        Assert.Contains("TLS", e.Message);
        pair.AwaitRefused(1);
    }

    [Fact]
    public void A_node_does_not_start_with_the_certificate_of_another()
    {
        var e = Assert.Throws<RefusedException>(() => Pair(Certificates.Of("x"), null));

        Assert.Contains("'b' (cluster.node), found one for x", e.Message);
    }

    private static PeerPair Pair(TlsIdentity? listener, TlsIdentity? caller) =>
        new(settings => settings with { Tls = listener }, settings => settings with { Tls = caller });
}
