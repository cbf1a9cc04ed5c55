using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Xunit;
using static ActorTrainer.Tests.Crew.Needs;

namespace ActorTrainer.Tests.Crew;

/// <summary>The crew actor between probes that play registry, agents and the run's coordinator.</summary>
public class ClusterCrewTests() : TestKit(
    ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.actor.serialize-messages = on").WithFallback(WireSerializer.Config))
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(150);
    private static readonly IReadOnlyDictionary<string, string> NoObjects = new Dictionary<string, string>();

    private readonly Dictionary<string, TestProbe> _agents = [];
    private TestProbe? _registry;
    private TestProbe? _parent;
    private IActorRef _crew = ActorRefs.Nobody;

    private static CrewNeeds Quick => Of() with { EngageTimeout = TimeSpan.FromSeconds(3), Settle = TimeSpan.FromMilliseconds(50) };

    [Fact]
    public void A_crew_is_assembled_from_the_nodes_that_answer()
    {
        Begin(Quick, "n1", "n2");
        var objects = Quick.Units.ToDictionary(unit => unit, unit => $"hash of {unit}");
        _crew.Tell(new CrewProtocol.Assemble("run", 1, objects));
        Answer("n1", 1, [.. objects.Values.Take(4)]);
        Answer("n2", 1, [.. objects.Values.Skip(3)]);

        var crew = _parent!.ExpectMsg<CrewProtocol.Assembled>(Patience);

        Assert.Equal(("run", 1), (crew.Run, crew.Attempt));
        Assert.Equal([3, 3], crew.PartSizes);
        Assert.Equal(["n1", "n2"], crew.Seats.Select(s => s.Node));
        Assert.Equal(["n1:7000", "n2:7000"], crew.Seats.Select(s => s.Address));
        Assert.Equal(["n2:7000"], crew.Seats[0].Replicas);
        Assert.Equal(["n1:7000"], crew.Sources["hash of embedding"]);
        Assert.Equal(["n1:7000", "n2:7000"], crew.Sources["hash of layers.2"]);
        crew.Seats[1].Actor.Tell(new StageProtocol.AskStatus("run", 1));
        _agents["n2"].FishForMessage(m => m is StageProtocol.AskStatus, Patience);
    }

    [Fact]
    public void A_lost_question_is_asked_again_and_repeated_or_old_answers_change_nothing()
    {
        Begin(Quick, "n1", "n2");
        _crew.Tell(new CrewProtocol.Assemble("run", 2, NoObjects));
        Answer("n1", 2);
        Assert.Equal(2, _agents["n2"].ExpectMsg<NodeProtocol.Engage>(Patience).Attempt);
        _crew.Tell(Engaged("n2", 1)); // of an attempt that is over
        _parent!.ExpectNoMsg(Quiet);

        Answer("n2", 2);
        _crew.Tell(Engaged("n1", 2));
        _crew.Tell(Engaged("n2", 2));

        Assert.Equal(2, _parent.ExpectMsg<CrewProtocol.Assembled>(Patience).Seats.Count);
        _parent.ExpectNoMsg(Quiet);
    }

    [Fact]
    public void A_node_that_never_answers_is_left_out_after_the_time_out()
    {
        Begin(Quick with { EngageTimeout = TimeSpan.FromSeconds(1) }, "n1", "n2");
        Assemble(1, "n1", "n2");
        _crew.Tell(new CrewProtocol.Assemble("run", 2, NoObjects));
        _crew.Tell(Engaged("n1", 2));

        Assert.Equal(["n1"], _parent!.ExpectMsg<CrewProtocol.Assembled>(Patience).Seats.Select(s => s.Node));
        Assert.True(_agents["n2"].ReceiveWhile(o => o as NodeProtocol.Engage, Quiet, Quiet).Count(e => e?.Attempt == 2) >= 2, "asked again");
        _parent.ExpectNoMsg(Quiet); // it beats but does not answer: no reason to move
    }

    [Fact]
    public void A_lost_node_is_said_once_and_its_spare_stands_in()
    {
        var needs = Quick with { Spares = 1 };
        Begin(needs, "n1", "n2", "n3");
        Assemble(1, "n1", "n2", "n3");

        Know("n1", "n3");
        Know("n3");
        var lost = _parent!.ExpectMsg<CrewProtocol.Lost>(Patience);
        Assert.Equal(1, lost.Attempt);
        Assert.Contains("n2", lost.Reason);
        Know("n1", "n3");
        _parent.ExpectNoMsg(Quiet);

        var second = Assemble(2, "n1", "n3");
        Assert.Equal(["n1", "n3"], second.Seats.Select(s => s.Node).Order());
    }

    [Fact]
    public void Nodes_that_start_together_cause_one_move()
    {
        Begin(Quick with { Settle = TimeSpan.FromMilliseconds(200) }, "n1");
        Assemble(1, "n1");

        Know("n1", "n2");
        Know("n1", "n2", "n3");

        var changed = _parent!.ExpectMsg<CrewProtocol.Changed>(Patience);
        Assert.Contains("n2, n3 can be used: 3 stages instead of 1", changed.Reason);
        Know("n1", "n2", "n3", "n4");
        _parent.ExpectNoMsg(TimeSpan.FromMilliseconds(300));
        Assert.Equal(4, Assemble(2, "n1", "n2", "n3", "n4").Seats.Count);
    }

    [Fact]
    public void What_is_kept_goes_to_every_agent_with_its_process()
    {
        Begin(Quick, "n1", "n2");
        Assemble(1, "n1", "n2");

        _crew.Tell(new CrewProtocol.Keep("run", 7, ["h"], Ended: true));

        foreach (var name in new[] { "n1", "n2" })
        {
            var keep = (NodeProtocol.Keep)_agents[name].FishForMessage(m => m is NodeProtocol.Keep, Patience);
            Assert.Equal(("run", $"{name}-a", 7L, true), (keep.Run, keep.Incarnation, keep.Step, keep.Ended));
            Assert.Equal(["h"], keep.Hashes);
        }
    }

    private void Begin(CrewNeeds needs, params string[] nodes)
    {
        (_registry, _parent) = (CreateTestProbe(), CreateTestProbe());
        var (registry, probe) = (_registry.Ref, _parent.Ref);
        var props = Props.Create(() => new ClusterCrew(registry, needs, TimeProvider.System));
        _crew = Sys.ActorOf(Props.Create(() => new Parent(props, probe)));
        _registry.ExpectMsg<RegistryProtocol.Subscribe>(Patience);
        _crew = _registry.LastSender;
        Know(nodes);
    }

    private void Know(params string[] names) =>
        _crew.Tell(new RegistryProtocol.Nodes([.. names.Select(name => new KnownNode(Report(name), Agent(name)))], null));

    private IActorRef Agent(string name) => (_agents.TryGetValue(name, out var agent) ? agent : _agents[name] = CreateTestProbe()).Ref;

    private CrewProtocol.Assembled Assemble(int attempt, params string[] nodes)
    {
        _crew.Tell(new CrewProtocol.Assemble("run", attempt, NoObjects));
        foreach (var node in nodes)
        {
            Answer(node, attempt);
        }

        return _parent!.ExpectMsg<CrewProtocol.Assembled>(Patience);
    }

    private void Answer(string name, int attempt, params string[] holds)
    {
        _agents[name].FishForMessage(m => m is NodeProtocol.Engage engage && engage.Attempt == attempt, Patience);
        _crew.Tell(Engaged(name, attempt, holds));
    }

    private NodeProtocol.Engaged Engaged(string name, int attempt, params string[] holds) =>
        new("run", attempt, Report(name), _agents[name].Ref.Path.ToSerializationFormat(), holds);

    /// <summary>Passes on what its child says.</summary>
    private sealed class Parent : ReceiveActor
    {
        public Parent(Props crew, IActorRef probe)
        {
            Context.ActorOf(crew);
            ReceiveAny(probe.Tell);
        }
    }
}
