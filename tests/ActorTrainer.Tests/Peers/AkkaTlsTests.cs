using ActorTrainer.Actors.DataPlane.Peers;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Xunit;

namespace ActorTrainer.Tests.Peers;

public sealed class AkkaTlsTests
{
    [Fact]
    public async Task The_same_certificates_admit_to_the_control_plane()
    {
        using var listener = Start(Certificates.Of("b"));
        using var caller = Start(Certificates.Of("a"));

        var answer = await caller.ActorSelection(Echo(listener)).Ask<string>("hello", PeerPair.Patience);

        Assert.Equal("hello", answer);
    }

    [Fact]
    public async Task A_node_of_another_authority_is_not_heard()
    {
        using var listener = Start(Certificates.Of("b"));
        using var stranger = Start(Certificates.Stranger("a"));
        var refused = new TaskCompletionSource();
        listener.EventStream.Subscribe(
            listener.ActorOf(Props.Create(() => new Watcher(refused))), typeof(Akka.Event.Warning));
        var asked = stranger.ActorSelection(Echo(listener)).Ask<string>("hello", TimeSpan.FromSeconds(2));

        await refused.Task.WaitAsync(PeerPair.Patience);

        await Assert.ThrowsAnyAsync<Exception>(() => asked);
    }

    private static string Echo(ActorSystem system) =>
        $"{((ExtendedActorSystem)system).Provider.DefaultAddress}/user/echo";

    private static ActorSystem Start(TlsIdentity identity)
    {
        var config = ConfigurationFactory.ParseString(
            """
            akka {
              loglevel = WARNING
              stdout-loglevel = OFF
              loggers = []
              actor.provider = remote
              remote.dot-netty.tcp {
                hostname = "127.0.0.1"
                port = 0
                enable-ssl = true
              }
            }
            """);
        var system = ActorSystem.Create("peers", ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config), identity.ToAkka()));
        system.ActorOf(Props.Create(() => new Echoing()), "echo");
        return system;
    }

    private sealed class Echoing : ReceiveActor
    {
        public Echoing() => ReceiveAny(message => Sender.Tell(message));
    }

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(TaskCompletionSource refused) => Receive<Akka.Event.Warning>(warning =>
        {
            if (warning.ToString().Contains("was not admitted", StringComparison.Ordinal))
            {
                refused.TrySetResult();
            }
        });
    }
}
