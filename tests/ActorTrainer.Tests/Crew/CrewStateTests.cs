using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;
using Xunit;
using static ActorTrainer.Tests.Crew.Needs;

namespace ActorTrainer.Tests.Crew;

/// <summary>The decisions of a crew with time in hand.</summary>
public class CrewStateTests
{
    private static readonly IReadOnlyDictionary<string, string> NoObjects = new Dictionary<string, string>();

    private readonly List<CrewAction> _done = [];
    private CrewState _state = new(Of());
    private double _now;

    private CrewAction.Seat? Seated => _done.OfType<CrewAction.Seat>().LastOrDefault();

    private IEnumerable<string> Players => Seated!.Plan.Stages.Select(stage => stage.Node);

    [Fact]
    public void The_first_crew_waits_for_nodes_that_are_just_starting()
    {
        Know("n1");
        Begin(1);
        Answer(1, "n1");
        Pass(0.5);
        Know("n1", "n2");
        Answer(1, "n2");
        Assert.Null(Seated);

        Pass(1.1);

        Assert.Equal(["n1", "n2"], Players);
    }

    [Fact]
    public void The_first_crew_waits_for_nobody_when_it_has_all_the_nodes_it_may_use()
    {
        _state = new CrewState(Of() with { Stages = 2 });
        Know("n1", "n2", "n3");
        Begin(1);
        Answer(1, "n1", "n2", "n3");

        Assert.Equal(["n1", "n2"], Players);
    }

    [Fact]
    public void A_silent_node_is_asked_three_times_and_then_left_out()
    {
        First("n1", "n2");
        Begin(2);
        Answer(2, "n1");
        Pass(1.6);

        Assert.Equal(["n1"], Players);
        Assert.InRange(_done.OfType<CrewAction.Ask>().Count(ask => ask.Node.Report.Name == "n2" && ask.Engage.Attempt == 2), 3, 4);
    }

    [Fact]
    public void A_node_that_answers_too_late_is_had_for_the_next_attempt()
    {
        First("n1", "n2");
        Begin(2);
        Answer(2, "n1");
        Pass(5);
        Assert.Empty(Said<CrewProtocol.Changed>());

        Answer(2, "n2");
        Pass(1.1);

        Assert.Single(Said<CrewProtocol.Changed>());
    }

    [Fact]
    public void A_node_lost_while_assembling_is_not_waited_for()
    {
        First("n1", "n2");
        Begin(2);
        Answer(2, "n1");
        Know("n1");

        Assert.Equal((2, "n1"), (Seated!.Attempt, Assert.Single(Players)));
    }

    [Fact]
    public void An_answer_of_a_process_that_has_ended_does_not_count()
    {
        First("n1", "n2");
        Begin(2);
        Answer(2, "n2");
        Know([Report("n1"), Report("n2", "b")]);
        Answer(2, "n1");
        Assert.Equal(1, Seated!.Attempt);

        Answer(2, Report("n2", "b"));

        Assert.Equal(["n1-a", "n2-b"], Seated!.Players.Select(p => p.Node.Incarnation));
    }

    [Fact]
    public void A_restarted_node_is_lost_once()
    {
        First("n1", "n2");
        Know([Report("n1"), Report("n2", "b")]);
        Know([Report("n1"), Report("n2", "c")]);
        Know([Report("n1")]);
        Pass(5);

        Assert.Contains("n2 (stage 1) was restarted", Assert.Single(Said<CrewProtocol.Lost>()).Reason);
        Assert.Empty(Said<CrewProtocol.Changed>());
    }

    [Fact]
    public void A_lost_player_is_waited_for_when_there_is_no_spare()
    {
        _state = new CrewState(Of() with { WaitForNode = TimeSpan.FromSeconds(20) });
        First("n1", "n2");
        Know("n1");
        Begin(2);
        Answer(2, "n1");
        Pass(10);
        Assert.Equal(1, Seated!.Attempt);
        Assert.Contains("n2 is away", Assert.Single(Said<CrewProtocol.Waiting>()).Reason);

        Know("n1", "n3"); // any other will do
        Answer(2, "n3");

        Assert.Equal(["n1", "n3"], Players);
    }

    [Fact]
    public void The_wait_for_a_lost_player_ends()
    {
        _state = new CrewState(Of() with { WaitForNode = TimeSpan.FromSeconds(20) });
        First("n1", "n2");
        Know("n1");
        Begin(2);
        Answer(2, "n1");
        Pass(20.1);

        Assert.Equal((2, "n1"), (Seated!.Attempt, Assert.Single(Players)));
    }

    [Fact]
    public void A_run_never_starts_without_its_objects_and_names_who_held_them()
    {
        First("n1", "n2", "n3");
        var objects = Of().Units.ToDictionary(unit => unit, unit => $"hash of {unit}");
        Know("n2"); // the head lies on n3 and its copy on n1
        Begin(2, objects);
        Answer(2, Report("n2"), [.. objects.Values.Where(h => !h.EndsWith("head") && !h.EndsWith("layers.3"))]);
        Pass(60);
        Assert.Equal(1, Seated!.Attempt);
        Assert.Contains("layers.3, head (held by n1, n3)", Assert.Single(Said<CrewProtocol.Waiting>()).Reason);

        Know("n2", "n1");
        Answer(2, Report("n1"), [.. objects.Values]);

        Assert.Equal(2, Seated!.Attempt);
        Assert.Equal(["n1:7000"], Seated.Sources["hash of head"]);
    }

    [Fact]
    public void A_node_without_the_role_of_a_stage_gives_objects_and_keeps_copies_only()
    {
        Know([Report("n1"), Report("c", stage: false)]);
        Begin(1, new Dictionary<string, string> { ["head"] = "h" });
        Answer(1, Report("n1"));
        Answer(1, Report("c", stage: false), ["h"]);
        Pass(1.1);

        Assert.Equal(["n1"], Players);
        Assert.Equal(["c:7000"], Seated!.Sources["h"]);
        Assert.Equal(["c"], Seated.Plan.Stages[0].Replicas);

        Know("n1");
        Assert.Contains("keeps copies", Assert.Single(Said<CrewProtocol.Lost>()).Reason);
    }

    [Fact]
    public void A_minority_lets_go_and_starts_nothing()
    {
        First("n1", "n2");
        _done.AddRange(_state.Apply(Nodes([Report("n1"), Report("n2")], "1 of 3 nodes is a minority"), _now));
        Assert.Contains("minority", Assert.Single(Said<CrewProtocol.Lost>()).Reason);

        var before = _done.OfType<CrewAction.Ask>().Count();
        Begin(2);
        Pass(30);
        Assert.Equal(before, _done.OfType<CrewAction.Ask>().Count());
        Assert.Contains("minority", Assert.Single(Said<CrewProtocol.Waiting>()).Reason);

        Know("n1", "n2");
        Answer(2, "n1", "n2");
        Assert.Equal(2, Seated!.Attempt);
    }

    [Fact]
    public void A_cluster_without_stage_nodes_is_waited_for()
    {
        Begin(1);
        Pass(5);
        Know([Report("c", stage: false)]);
        Answer(1, Report("c", stage: false));
        Pass(5);

        Assert.Equal(["there is no node: start one", "there is no stage node: start one"], Said<CrewProtocol.Waiting>().Select(w => w.Reason));
        Assert.Empty(Said<CrewProtocol.Impossible>());
    }

    [Fact]
    public void What_fits_nowhere_is_refused_with_the_numbers()
    {
        Know([Report("n1", mib: 200), Report("n2", mib: 300)]);
        Begin(1);
        Answer(1, Report("n1", mib: 200));
        Answer(1, Report("n2", mib: 300));
        Pass(1.1);

        var reason = Assert.Single(Said<CrewProtocol.Impossible>()).Reason;
        Assert.Contains("MiB of weights, gradients and optimiser state", reason);
        Assert.Contains("the largest free node n2", reason);
    }

    [Fact]
    public void What_would_fit_with_a_node_that_is_away_waits_for_it()
    {
        NodeReport[] both = [Report("n1", mib: 400), Report("n2", mib: 400)];
        Know(both);
        Begin(1);
        Answer(1, both[0]);
        Answer(1, both[1]);
        Pass(1.1);
        Know([both[0]]);
        Begin(2);
        Answer(2, both[0]);
        Pass(60);

        Assert.Contains("would fit with n2", Assert.Single(Said<CrewProtocol.Waiting>()).Reason);
        Assert.Empty(Said<CrewProtocol.Impossible>());

        Know(both);
        Answer(2, both[1]);
        Assert.Equal(2, Seated!.Attempt);
    }

    [Fact]
    public void A_newcomer_that_goes_again_moves_nothing()
    {
        First("n1", "n2");
        Know("n1", "n2", "n3");
        Pass(0.5);
        Know("n1", "n2");
        Pass(5);

        Assert.Empty(Said<CrewProtocol.Changed>());
    }

    [Fact]
    public void A_newcomer_moves_stages_only_where_steps_become_clearly_faster()
    {
        _state = new CrewState(Of() with { Stages = 2 });
        First("n1", "n2");
        Know([Report("n1"), Report("n2"), Report("n3", speed: 11)]);
        Pass(5);
        Assert.Empty(Said<CrewProtocol.Changed>());

        Know([Report("n1"), Report("n2"), Report("n3", speed: 11), Report("n4", speed: 30)]);
        Pass(5);
        Assert.Contains("n4 can be used: steps", Assert.Single(Said<CrewProtocol.Changed>()).Reason);
    }

    [Fact]
    public void Nodes_whose_link_broke_are_kept_apart_and_brought_together_again_later()
    {
        First("n1", "n2");
        Suspect("n1", "n2");
        Begin(2);
        Answer(2, "n1", "n2");
        Assert.Single(Players);
        Pass(29);
        Assert.Empty(Said<CrewProtocol.Changed>());

        Pass(3);
        Assert.Contains("a link that broke may be whole again", Assert.Single(Said<CrewProtocol.Changed>()).Reason);
        Begin(3);
        Answer(3, "n1", "n2");
        Assert.Equal(2, Seated!.Plan.Stages.Count);
    }

    [Fact]
    public void A_node_that_died_with_its_links_is_welcome_when_it_is_back()
    {
        First("n1", "n2");
        Suspect("n1", "n2");
        Begin(2);
        Answer(2, "n1");
        Know([Report("n1"), Report("n2", "b")]);
        Answer(2, Report("n2", "b"));

        Assert.Equal(["n1", "n2"], Players);
    }

    [Fact]
    public void Measured_steps_move_work_away_from_a_slow_node()
    {
        First("n1", "n2");
        for (var step = 0; step < 30; step++)
        {
            _done.AddRange(_state.Apply(new CrewProtocol.Measured("run", 1, [1, 2]), _now));
        }

        Begin(2);
        Answer(2, "n1", "n2");

        Assert.Equal([4, 2], Seated!.Plan.Stages.OrderBy(s => s.Node).Select(s => s.Units.Count));
    }

    [Fact]
    public void An_older_assembly_is_ignored()
    {
        First("n1");
        Begin(3);
        Begin(2);
        Answer(3, "n1");

        Assert.Equal(3, Seated!.Attempt);
        Assert.DoesNotContain(_done.OfType<CrewAction.Ask>(), ask => ask.Engage.Attempt == 2);
    }

    private static RegistryProtocol.Nodes Nodes(IEnumerable<NodeReport> nodes, string? hold = null) =>
        new([.. nodes.Select(report => new KnownNode(report, ActorRefs.Nobody))], hold);

    private void First(params string[] names)
    {
        Know(names);
        Begin(1);
        Answer(1, names);
        Pass(1.1);
        Assert.Equal(1, Seated!.Attempt);
    }

    private void Know(params string[] names) => Know([.. names.Select(name => Report(name))]);

    private void Know(NodeReport[] nodes) => _done.AddRange(_state.Apply(Nodes(nodes), _now));

    private void Begin(int attempt, IReadOnlyDictionary<string, string>? objects = null) =>
        _done.AddRange(_state.Apply(new CrewProtocol.Assemble("run", attempt, objects ?? NoObjects), _now));

    private void Answer(int attempt, params string[] names)
    {
        foreach (var name in names)
        {
            Answer(attempt, Report(name));
        }
    }

    private void Answer(int attempt, NodeReport node, params string[] holds) =>
        _done.AddRange(_state.Apply(new NodeProtocol.Engaged("run", attempt, node, node.IsStage ? $"/user/{node.Name}" : "", holds), _now));

    private void Suspect(string a, string b) => _done.AddRange(_state.Apply(new CrewProtocol.Suspect("run", 1, a, b), _now));

    /// <summary>Lets time pass, waking the state when it asks for it.</summary>
    private void Pass(double seconds)
    {
        var end = _now + seconds;
        while (_state.WakeAt is { } at && at <= end)
        {
            _now = Math.Max(at, _now);
            _done.AddRange(_state.Wake(_now));
            Assert.True(_state.WakeAt is not { } next || next > _now, "wakes itself without end");
        }

        _now = end;
    }

    private IReadOnlyList<T> Said<T>() => [.. _done.OfType<CrewAction.Say>().Select(say => say.Message).OfType<T>()];
}
