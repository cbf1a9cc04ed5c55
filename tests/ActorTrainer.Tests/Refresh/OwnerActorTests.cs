using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Layers;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Refresh;

public sealed class OwnerActorTests() : TestKit(
    ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.actor.serialize-messages = on").WithFallback(WireSerializer.Config))
{
    private static readonly RefreshKey Key = new("r", 1, 4, Phase.Train, 0, "variance", 0);

    [Fact]
    public void It_says_what_the_owner_has_done()
    {
        var actor = Sys.ActorOf(Props.Create(() => new OwnerActor(null)));
        Assert.Equal(OwnerProtocol.Status.Nothing, Ask(actor) with { Warnings = OwnerProtocol.Status.Nothing.Warnings });

        actor.Tell(new OwnerProtocol.Served(Key, false, OwnerProtocol.Outcome.Answered, 4, 100, 300, 0.5, ""));
        actor.Tell(new OwnerProtocol.Served(Key, false, OwnerProtocol.Outcome.AnsweredAgain, 4, 100, 300, 0.5, ""));
        actor.Tell(new OwnerProtocol.Served(Key with { Step = 5 }, true, OwnerProtocol.Outcome.Answered, 2, 50, 0, 0.25, ""));
        actor.Tell(new OwnerProtocol.Served(Key, false, OwnerProtocol.Outcome.Rejected, 1, 10, 0, 0, "because"));
        actor.Tell(new OwnerProtocol.Served(Key with { Attempt = 2, Step = 3 }, false, OwnerProtocol.Outcome.Answered, 1, 1, 1, 0, ""));
        actor.Tell(new OwnerProtocol.Served(Key, false, OwnerProtocol.Outcome.Failed, 1, 0, 0, 0, "no memory"));

        var status = Ask(actor);
        Assert.Equal((4, 9, 2, 1, 1, 1), (status.Requests, status.Lifted, status.Reported, status.Repeated, status.Rejected, status.Failed));
        Assert.Equal((261, 601, 1.25), (status.BytesIn, status.BytesOut, status.Seconds));
        Assert.Equal((2, 3), (status.Attempt, status.Step));
        Assert.Contains("no memory", status.Trouble);
    }

    [Fact]
    public void Warnings_of_the_guard_are_for_the_owner()
    {
        var guard = new RangeGuard([new SiteRange("variance", 0, 1)]);
        using var owner = new OwnerSide(guard);
        var actor = Sys.ActorOf(Props.Create(() => new OwnerActor(guard)));
        owner.Stage().Refresh(owner.Low(0.5, 3), 2, "variance");
        foreach (var served in owner.Served)
        {
            actor.Tell(served);
        }

        var status = Ask(actor);

        Assert.Equal("variance", Assert.Single(status.Warnings).Site);
        Assert.Equal(2.0, status.Warnings[0].Worst, 1e-3);
        Assert.Equal("", status.Trouble);
        Assert.Equal(2, status.Lifted);
    }

    private OwnerProtocol.Status Ask(IActorRef actor)
    {
        actor.Tell(new OwnerProtocol.AskStatus(), TestActor);
        return ExpectMsg<OwnerProtocol.Status>(OwnerSide.Patience);
    }
}
