using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.Actors;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Nodes;

/// <summary>A coordinator of a cluster with a journal in memory; run, stages and crew are the real ones of one process.</summary>
public class ClusterCoordinatorTests() : TestKit(
    ConfigurationFactory.ParseString(
        """
        akka.loglevel = OFF
        akka.stdout-loglevel = OFF
        akka.actor.serialize-messages = on
        """).WithFallback(WireSerializer.Config), "cluster")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    private readonly NumberPreparation _preparation = new();
    private readonly NumberCheckpoints _checkpoints = new();
    private readonly NumberWorld _world = new();
    private ClusterView _view = new([], []);

    [Fact]
    public void A_submitted_run_is_prepared_and_played_to_its_end_and_whoever_looks_on_is_told()
    {
        var (reference, observer) = (Reference(), new RecordingObserver());
        var coordinator = Coordinator();
        Submit(coordinator, "numbers");

        var ended = WatchToEnd(coordinator, "numbers", observer);

        Assert.Equal((OutcomeKind.Completed, 12L), (ended.Outcome.Kind, ended.Outcome.Step));
        AssertSameDigests(reference, observer);
        AssertSameDigests(reference, _preparation.Observer);
        Assert.Equal(["seed=0"], _preparation.Settings);
        AwaitAssert(() => Assert.Equal(0, _preparation.Held), Patience);
    }

    [Fact]
    public void The_next_coordinator_goes_on_with_the_run_of_the_one_before()
    {
        var reference = Reference();
        using var stuck = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        _world.Misfortune = (_, what, _, step) =>
        {
            if (step == 7 && what == "Forward")
            {
                stuck.Set();
                go.Wait(Patience);
            }
        };
        var first = Coordinator();
        Submit(first, "numbers");
        Assert.True(stuck.Wait(Patience));
        Assert.Equal(1, Status(first).Term);
        Watch(first);
        first.Tell(PoisonPill.Instance);
        ExpectTerminated(first, Patience);
        go.Set();
        AwaitAssert(() => Assert.Equal(0, _preparation.Held), Patience);

        var observer = new RecordingObserver();
        var second = Coordinator();
        var ended = WatchToEnd(second, "numbers", observer);

        Assert.Equal(OutcomeKind.Completed, ended.Outcome.Kind);
        Assert.Equal(2, Status(second).Term);
        AssertSameDigests(reference, _preparation.Observer);
        Assert.Equal([0L, 4L], _preparation.Observer.Attempts.Select(a => a.From));
    }

    [Fact]
    public void A_run_that_has_ended_is_not_begun_again_by_the_next_coordinator_which_knows_its_outcome()
    {
        var first = Coordinator();
        Submit(first, "numbers");
        WatchToEnd(first, "numbers", new RecordingObserver());
        Watch(first);
        first.Tell(PoisonPill.Instance);
        ExpectTerminated(first, Patience);

        var ended = WatchToEnd(Coordinator(), "numbers", new RecordingObserver());

        Assert.Equal(OutcomeKind.Completed, ended.Outcome.Kind);
        Assert.Single(_preparation.Settings);
    }

    [Fact]
    public void A_run_that_is_submitted_again_after_its_end_says_that_it_is_complete()
    {
        var coordinator = Coordinator();
        Submit(coordinator, "numbers");
        WatchToEnd(coordinator, "numbers", new RecordingObserver());
        Submit(coordinator, "numbers");

        var again = WatchToEnd(coordinator, "numbers", new RecordingObserver());

        Assert.Equal(OutcomeKind.Completed, again.Outcome.Kind);
        Assert.Contains("already complete", again.Outcome.Message);
    }

    [Fact]
    public void Settings_that_cannot_be_used_end_the_run_with_the_reason()
    {
        _preparation.OnPrepare = (_, _) => throw new RefusedException("no such data");
        var coordinator = Coordinator();
        Submit(coordinator, "numbers");

        var ended = WatchToEnd(coordinator, "numbers", new RecordingObserver());

        Assert.Equal((OutcomeKind.Refused, "no such data"), (ended.Outcome.Kind, ended.Outcome.Message));
    }

    [Fact]
    public void A_second_run_is_refused_while_one_is_under_way_and_the_same_one_is_not()
    {
        using var go = new ManualResetEventSlim();
        _preparation.OnPrepare = (_, _) => go.Wait(Patience);
        var coordinator = Coordinator();
        Submit(coordinator, "numbers");
        Submit(coordinator, "numbers");

        coordinator.Tell(new ClientProtocol.Submit("other", ""), TestActor);
        var refusal = ExpectMsg<ClientProtocol.SubmitReply>(Patience);
        go.Set();

        Assert.Equal("other", refusal.Name);
        Assert.Contains("Run 'numbers' is under way", refusal.Refusal);
        Assert.Contains("stop name=numbers", refusal.Refusal);
        Assert.Equal(OutcomeKind.Completed, WatchToEnd(coordinator, "numbers", new RecordingObserver()).Outcome.Kind);
        Assert.Single(_preparation.Settings);
    }

    [Fact]
    public void A_run_can_be_stopped_while_it_is_being_prepared()
    {
        _preparation.OnPrepare = (_, cancellation) =>
        {
            cancellation.WaitHandle.WaitOne(Patience);
            cancellation.ThrowIfCancellationRequested();
        };
        var coordinator = Coordinator();
        Submit(coordinator, "numbers");

        coordinator.Tell(new ClientProtocol.Stop("numbers"), TestActor);

        Assert.Equal("", ExpectMsg<ClientProtocol.SubmitReply>(Patience).Refusal);
        Assert.Equal(OutcomeKind.Stopped, WatchToEnd(coordinator, "numbers", new RecordingObserver()).Outcome.Kind);
    }

    [Fact]
    public void A_run_that_is_stopped_commits_and_goes_on_when_it_is_submitted_again()
    {
        var reference = Reference();
        var coordinator = Coordinator();
        _world.Misfortune = (stage, what, microBatch, step) =>
        {
            if ((stage, what, microBatch, step) == (0, "Forward", 0, 6))
            {
                coordinator.Ask<ClientProtocol.SubmitReply>(new ClientProtocol.Stop("numbers"), Patience).Wait(Patience);
            }
        };
        Submit(coordinator, "numbers");
        var stopped = WatchToEnd(coordinator, "numbers", new RecordingObserver()).Outcome;
        _world.Misfortune = (_, _, _, _) => { };
        Submit(coordinator, "numbers");

        var ended = WatchToEnd(coordinator, "numbers", new RecordingObserver()).Outcome;

        Assert.Equal(OutcomeKind.Stopped, stopped.Kind);
        Assert.Equal(6, stopped.Step);
        Assert.Equal(OutcomeKind.Completed, ended.Kind);
        AssertSameDigests(reference, _preparation.Observer);
    }

    [Fact]
    public void Stopping_a_run_that_is_not_under_way_is_refused()
    {
        Coordinator().Tell(new ClientProtocol.Stop("nothing"), TestActor);

        Assert.Contains("'nothing' is not under way", ExpectMsg<ClientProtocol.SubmitReply>(Patience).Refusal);
    }

    [Fact]
    public void Looking_on_at_a_run_that_nobody_submitted_is_refused()
    {
        var ended = WatchToEnd(Coordinator(), "nothing", new RecordingObserver());

        Assert.Equal(OutcomeKind.Refused, ended.Outcome.Kind);
    }

    [Fact]
    public void A_run_coordinator_that_dies_is_made_again_and_the_run_ends_with_the_same_bits()
    {
        var reference = Reference();
        using var reached = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        _world.Misfortune = (_, what, _, step) =>
        {
            if (step == 7 && what == "Forward")
            {
                reached.Set();
                go.Wait(Patience);
            }
        };
        var coordinator = Coordinator();
        Submit(coordinator, "numbers");
        Assert.True(reached.Wait(Patience));
        Sys.ActorSelection($"{coordinator.Path.ToStringWithoutAddress()}/run-*").Tell(Kill.Instance);
        AwaitAssert(() => Assert.Equal(2, _preparation.Observer.Attempts.Count), Patience);
        go.Set();

        Assert.Equal(OutcomeKind.Completed, WatchToEnd(coordinator, "numbers", new RecordingObserver()).Outcome.Kind);
        AssertSameDigests(reference, _preparation.Observer);
        Assert.Equal([0L, 4L], _preparation.Observer.Attempts.Select(a => a.From));
    }

    [Fact]
    public void Nodes_are_announced_to_and_those_who_answer_are_told_to_whoever_works_with_them()
    {
        var (crew, agent) = (CreateTestProbe(), CreateTestProbe());
        Sys.ActorOf(Props.Create(() => new Relay(agent)), NodeProtocol.AgentName);
        var coordinator = Coordinator();
        coordinator.Tell(new RegistryProtocol.Subscribe(), crew);
        Assert.Empty(crew.ExpectMsg<RegistryProtocol.Nodes>(Patience).Usable);

        var announce = agent.ExpectMsg<NodeProtocol.Announce>(Patience);
        coordinator.Tell(new NodeProtocol.Beat(announce.Term, announce.Number, Node("n1", "f00d")), agent);
        var nodes = crew.ExpectMsg<RegistryProtocol.Nodes>(Patience);
        coordinator.Tell(new NodeProtocol.Beat(announce.Term, announce.Number, Node("n1", "f00d")), agent);
        coordinator.Tell(new NodeProtocol.Beat(announce.Term - 1, announce.Number, Node("n2", "beef")), agent);
        crew.ExpectNoMsg(Moment);

        Assert.Equal((1L, agent.Ref), (announce.Term, Assert.Single(nodes.Usable).Agent));
        Assert.Empty(crew.ExpectMsg<RegistryProtocol.Nodes>(Patience).Usable); // it has not answered for a lease
        Assert.Contains(Status(coordinator).Nodes, node => node.Node.Name == "n1" && node.State == "lost");
    }

    [Fact]
    public void A_side_without_a_majority_holds_and_says_so()
    {
        var crew = CreateTestProbe();
        var coordinator = Coordinator();
        coordinator.Tell(new RegistryProtocol.Subscribe(), crew);
        Assert.Null(crew.ExpectMsg<RegistryProtocol.Nodes>(Patience).Hold);

        Address[] members = [.. Enumerable.Range(1, 3).Select(i => new Address("akka", "nowhere", $"10.0.0.{i}", 1))];
        _view = new ClusterView(members, members[1..]);

        Assert.Contains("1 of 3", crew.ExpectMsg<RegistryProtocol.Nodes>(Patience).Hold);
    }

    private static NodeReport Node(string name, string incarnation) => new(name, incarnation, ["stage"], "a:1", 1, 1, 1, "");

    private IActorRef Coordinator() => Sys.ActorOf(Props.Create(() => new ClusterCoordinator(Settings())));

    private ClusterCoordinatorSettings Settings() => new()
    {
        Node = "n0",
        Preparation = _preparation,
        Services = (run, around) => NumberRun.Services(run.Options, _world, around.Observer, _checkpoints),
        View = () => _view,
        Seeds = [((ExtendedActorSystem)Sys).Provider.DefaultAddress],
        Time = TimeProvider.System,
        Lease = TimeSpan.FromMilliseconds(400),
        AnnounceEvery = TimeSpan.FromMilliseconds(50),
        RestartAfter = TimeSpan.FromMilliseconds(50),
    };

    private RecordingObserver Reference()
    {
        var reference = new RecordingObserver();
        var services = NumberRun.Services(NumberRun.Options() with { Name = "reference" }, new NumberWorld(), reference);
        var run = Sys.ActorOf(Props.Create(() => new RunCoordinator(services)));
        Assert.Equal(OutcomeKind.Completed, run.Ask<RunProtocol.Outcome>(new RunProtocol.Start(), Patience).GetAwaiter().GetResult().Kind);
        return reference;
    }

    private void Submit(IActorRef coordinator, string name)
    {
        var client = CreateTestProbe();
        coordinator.Tell(new ClientProtocol.Submit(name, "seed=0"), client);
        Assert.Equal(new ClientProtocol.SubmitReply(name, ""), client.ExpectMsg<ClientProtocol.SubmitReply>(Patience));
    }

    private ClientProtocol.Status Status(IActorRef coordinator) =>
        coordinator.Ask<ClientProtocol.Status>(new ClientProtocol.AskStatus(), Patience).GetAwaiter().GetResult();

    private ClientProtocol.Ended WatchToEnd(IActorRef coordinator, string name, RecordingObserver observer)
    {
        var client = CreateTestProbe();
        coordinator.Tell(new ClientProtocol.Watch(name), client);
        while (true)
        {
            var message = client.ExpectMsg<IWire>(Patience);
            if (message is ClientProtocol.Ended ended)
            {
                return ended;
            }

            FeedObserver.Replay(message, observer);
        }
    }

    private static void AssertSameDigests(RecordingObserver expected, RecordingObserver actual)
    {
        Assert.NotEmpty(expected.Digests);
        foreach (var (step, digests) in actual.Digests)
        {
            Assert.Equal(expected.Digests[step], digests);
        }

        Assert.Contains(expected.Digests.Keys.Max(), actual.Digests.Keys);
    }

    /// <summary>Stands at the agent's path for a probe.</summary>
    private sealed class Relay : ReceiveActor
    {
        public Relay(IActorRef to) => ReceiveAny(to.Forward);
    }
}
