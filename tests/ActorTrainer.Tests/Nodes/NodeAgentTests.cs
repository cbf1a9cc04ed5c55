using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Nodes;

/// <summary>One agent between probes that play coordinators, clients and agents of other clusters.</summary>
public class NodeAgentTests() : TestKit(
    ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.actor.serialize-messages = on").WithFallback(WireSerializer.Config))
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    private readonly ManualTime _time = new();
    private readonly List<NodeProtocol.Keep> _kept = [];
    private readonly ManualResetEventSlim _keptOne = new();
    private readonly List<string> _ends = [];
    private IReadOnlyList<string> _members = ["a:1#1"];

    [Fact]
    public void Every_announcement_is_answered_also_a_repeated_one()
    {
        var agent = Agent();

        agent.Tell(new NodeProtocol.Announce(2, 5), TestActor);
        agent.Tell(new NodeProtocol.Announce(2, 5), TestActor);

        for (var i = 0; i < 2; i++)
        {
            var beat = ExpectMsg<NodeProtocol.Beat>(Patience);
            Assert.Equal((2, 5, "n1", "f00d"), (beat.Term, beat.Number, beat.Node.Name, beat.Node.Incarnation));
        }
    }

    [Fact]
    public void The_coordinator_of_the_highest_term_is_followed_whatever_the_order()
    {
        var (agent, old, current) = (Agent(), CreateTestProbe(), CreateTestProbe());
        agent.Tell(new NodeProtocol.Announce(3, 1), current);
        agent.Tell(new NodeProtocol.Announce(2, 900), old);
        agent.Tell(new ClientProtocol.AskStatus(), TestActor);

        current.ExpectMsg<NodeProtocol.Beat>(Patience);
        current.ExpectMsg<ClientProtocol.AskStatus>(Patience);
        Assert.Equal(TestActor, current.Sender);
        old.ExpectNoMsg(Moment);
    }

    [Fact]
    public void A_coordinator_that_has_been_silent_for_long_is_no_longer_preferred()
    {
        var (agent, high, low) = (Agent(), CreateTestProbe(), CreateTestProbe());
        agent.Tell(new NodeProtocol.Announce(57, 1), high);
        high.ExpectMsg<NodeProtocol.Beat>(Patience);

        _time.Advance(TimeSpan.FromSeconds(11));
        agent.Tell(new NodeProtocol.Announce(1, 1), low);

        low.ExpectMsg<NodeProtocol.Beat>(Patience);
    }

    [Fact]
    public void Clients_are_passed_on_with_their_own_address_and_dropped_when_there_is_no_coordinator()
    {
        var (agent, coordinator, client) = (Agent(), CreateTestProbe(), CreateTestProbe());
        agent.Tell(new ClientProtocol.Watch("lost"), client);
        agent.Tell(new NodeProtocol.Announce(1, 1), coordinator);
        coordinator.ExpectMsg<NodeProtocol.Beat>(Patience);

        foreach (var message in new IWire[] { new ClientProtocol.Submit("r", "a=1"), new ClientProtocol.Watch("r"), new ClientProtocol.Stop("r") })
        {
            agent.Tell(message, client);
            Assert.Equal(message, coordinator.ExpectMsg<IWire>(Patience));
            Assert.Equal(client.Ref, coordinator.Sender);
        }
    }

    [Fact]
    public void A_repeated_engagement_is_answered_again_with_the_same_stage_actor()
    {
        var agent = Agent();

        var first = Engage(agent, "run", 1);
        var again = Engage(agent, "run", 1);
        var next = Engage(agent, "run", 2);

        Assert.Equal(first.Actor, again.Actor);
        Assert.Equal((2, first.Actor), (next.Attempt, next.Actor));
        Assert.Equal(["h2"], first.Holds);
        Assert.Contains("run", next.Node.Doing);
    }

    [Fact]
    public void Engagements_of_earlier_attempts_are_ignored()
    {
        var agent = Agent();
        Engage(agent, "run", 5);

        agent.Tell(new NodeProtocol.Engage("run", 4, []), TestActor);

        ExpectNoMsg(Moment);
    }

    [Fact]
    public void Another_run_takes_the_place_of_the_former_and_late_messages_of_the_former_do_not_take_it_back()
    {
        var agent = Agent();
        var (former, mourner) = (Stage(Engage(agent, "run", 5)), CreateTestProbe());
        mourner.Watch(former);

        var other = Engage(agent, "other", 1);
        mourner.ExpectTerminated(former, Patience);
        agent.Tell(new NodeProtocol.Engage("run", 5, []), TestActor);
        agent.Tell(new NodeProtocol.Engage("run", 3, []), TestActor);
        ExpectNoMsg(Moment);

        Assert.Equal(other.Actor, Engage(agent, "other", 2).Actor);
        Assert.NotEqual(other.Actor, Engage(agent, "run", 6).Actor);
    }

    [Fact]
    public void A_stage_actor_that_ended_is_replaced_at_the_next_engagement()
    {
        var agent = Agent();
        var first = Engage(agent, "run", 1);
        var stage = Stage(first);
        Watch(stage);
        stage.Tell("throw");
        ExpectTerminated(stage, Patience);

        AwaitAssert(() => Assert.NotEqual(first.Actor, Engage(agent, "run", 2).Actor), Patience);
    }

    [Fact]
    public void A_node_without_the_role_of_a_stage_says_what_it_holds_and_makes_no_actor()
    {
        var engaged = Engage(Agent(NodeReport.Role.Coordinator), "run", 1);

        Assert.Equal("", engaged.Actor);
        Assert.Equal(["h2"], engaged.Holds);
    }

    [Fact]
    public void Objects_are_let_go_only_when_this_very_process_is_meant()
    {
        var agent = Agent();
        agent.Tell(new NodeProtocol.Keep("run", "other process", 7, [], false));
        var meant = new NodeProtocol.Keep("run", "f00d", 7, ["h1"], false);
        agent.Tell(meant);

        Assert.True(_keptOne.Wait(Patience));
        Assert.Equivalent(meant, Assert.Single(_kept), strict: true);
    }

    [Fact]
    public void The_stage_actor_goes_when_its_run_has_ended_and_stays_when_another_one_has()
    {
        var agent = Agent();
        var stage = Stage(Engage(agent, "run", 1));
        Watch(stage);

        agent.Tell(new NodeProtocol.Keep("other", "f00d", 7, [], Ended: true));
        ExpectNoMsg(Moment);
        agent.Tell(new NodeProtocol.Keep("run", "f00d", 7, [], Ended: true));

        ExpectTerminated(stage, Patience);
        agent.Tell(new NodeProtocol.Engage("run", 1, []), TestActor);
        ExpectNoMsg(Moment);
    }

    [Fact]
    public void A_process_whose_cluster_is_smaller_than_another_one_ends()
    {
        Agent().Tell(new NodeProtocol.Probe(["b:1#2", "c:1#3"]), TestActor);

        AwaitAssert(() => Assert.Contains("c:1#3", Assert.Single(_ends)), Patience);
    }

    [Fact]
    public void The_larger_cluster_tells_the_smaller_one_of_itself_and_stays()
    {
        _members = ["a:1#1", "d:1#4"];
        Agent().Tell(new NodeProtocol.Probe(["b:1#2"]), TestActor);

        Assert.Equal(_members, ExpectMsg<NodeProtocol.Probe>(Patience).Members);
        Assert.Empty(_ends);
    }

    [Fact]
    public void Every_mixture_of_lost_repeated_and_reordered_engagements_ends_at_the_highest_attempt_with_one_actor()
    {
        var random = new Random(11);
        for (var round = 0; round < 20; round++)
        {
            var agent = Agent();
            var sent = Enumerable.Range(1, 6).SelectMany(attempt => Enumerable.Repeat(attempt, random.Next(3))).Append(7).OrderBy(_ => random.Next()).ToList();
            var seen = 0;
            foreach (var attempt in sent)
            {
                agent.Tell(new NodeProtocol.Engage("run", attempt, []), TestActor);
            }

            agent.Tell(new NodeProtocol.Engage("run", 7, []), TestActor);
            var actors = new HashSet<string>();
            while (seen < 2 + sent.Count(a => a == 7) - 1)
            {
                var engaged = ExpectMsg<NodeProtocol.Engaged>(Patience);
                actors.Add(engaged.Actor);
                seen += engaged.Attempt == 7 ? 1 : 0;
            }

            Assert.Single(actors);
        }
    }

    private IActorRef Agent(string role = NodeReport.Role.Stage) => Sys.ActorOf(Props.Create(() => new NodeAgent(Settings(role))));

    private NodeAgentSettings Settings(string role) => new()
    {
        Node = new NodeReport("n1", "f00d", [role], "a:1", 2, 1 << 30, 1, ""),
        StageProps = _ => Props.Create(() => new Fragile()),
        Holds = (_, hashes) => [.. hashes.Where(hash => hash != "h1")],
        Keep = keep =>
        {
            _kept.Add(keep);
            _keptOne.Set();
        },
        Members = () => _members,
        End = _ends.Add,
        Time = _time,
    };

    private NodeProtocol.Engaged Engage(IActorRef agent, string run, int attempt)
    {
        agent.Tell(new NodeProtocol.Engage(run, attempt, ["h1", "h2"]), TestActor);
        return ExpectMsg<NodeProtocol.Engaged>(engaged => Assert.Equal((run, attempt), (engaged.Run, engaged.Attempt)), Patience);
    }

    private IActorRef Stage(NodeProtocol.Engaged engaged) =>
        Sys.ActorSelection(ActorPath.Parse(engaged.Actor)).ResolveOne(Patience).GetAwaiter().GetResult();

    private sealed class Fragile : ReceiveActor
    {
        public Fragile() => Receive<string>(text => throw new InvalidOperationException(text));
    }
}
