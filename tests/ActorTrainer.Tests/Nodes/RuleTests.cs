using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Common;
using Akka.Actor;
using Xunit;

namespace ActorTrainer.Tests.Nodes;

/// <summary>Decisions of a cluster as pure functions.</summary>
public class RuleTests
{
    [Theory]
    [InlineData("1", "", true)]
    [InlineData("123", "3", true)]
    [InlineData("123", "23", false)]
    [InlineData("12", "2", true)]
    [InlineData("12", "1", false)]
    [InlineData("1234", "34", true)]
    [InlineData("1234", "12", false)]
    [InlineData("1234", "14", false)]
    [InlineData("1234", "24", true)]
    [InlineData("12345", "12", true)]
    public void Only_a_majority_or_the_half_with_the_lowest_address_may_work(string members, string unreachable, bool may)
    {
        var hold = Quorum.Hold(new ClusterView(At(members), At(unreachable)));

        Assert.Equal(may, hold is null);
        if (hold is not null)
        {
            Assert.Contains($"{members.Length - unreachable.Length} of {members.Length}", hold);
        }
    }

    [Fact]
    public void However_a_cluster_is_split_at_most_one_side_may_work()
    {
        var random = new Random(5);
        for (var i = 0; i < 500; i++)
        {
            var members = At("123456789"[..random.Next(2, 10)]);
            var sides = members.ToLookup(_ => random.Next(3));
            Assert.True(sides.Count(side => Quorum.Hold(new ClusterView(members, [.. members.Except(side)])) is null) <= 1);
        }
    }

    [Fact]
    public void Of_two_clusters_exactly_one_gives_way_and_parts_of_one_cluster_never_do()
    {
        string[] small = ["a:1#1"];
        string[] large = ["a:1#2", "b:1#3"];
        string[] alike = ["a:2#4"];

        Assert.True(Islands.GivesWay(small, large));
        Assert.False(Islands.GivesWay(large, small));
        Assert.False(Islands.GivesWay(small, alike));
        Assert.True(Islands.GivesWay(alike, small));
        Assert.False(Islands.GivesWay(["b:1#3"], large));
        Assert.False(Islands.GivesWay([], large));
    }

    [Fact]
    public void A_node_is_usable_while_it_answers_and_lost_a_lease_after_the_last_announcement_it_answered()
    {
        var registry = NodeRegistry.Empty(term: 2, lease: 3);
        registry = registry.Announced(0, 0.3).Heard(Beat("n1", "a", number: 1), ActorRefs.Nobody, 0.1);
        for (var t = 0.3; t < 2.9; t += 0.3)
        {
            registry = registry.Announced(t, 0.3);
        }

        Assert.Equal(["n1"], registry.Usable(3.0).Select(n => n.Report.Name));
        Assert.Empty(registry.Usable(3.1));
        Assert.Equal(0.1, registry.Nodes["n1"].RoundTrip, 9);
        Assert.Equal(["n1"], registry.Heard(Beat("n1", "a", registry.Number), ActorRefs.Nobody, 3.2).Usable(5).Select(n => n.Report.Name));
    }

    [Fact]
    public void Answers_of_another_term_or_to_announcements_never_made_count_for_nothing()
    {
        var registry = NodeRegistry.Empty(term: 2, lease: 3).Announced(0, 0.3);

        Assert.Empty(registry.Heard(Beat("n1", "a", 1, term: 1), ActorRefs.Nobody, 0.1).Nodes);
        Assert.Empty(registry.Heard(Beat("n1", "a", 7), ActorRefs.Nobody, 0.1).Nodes);
    }

    [Fact]
    public void A_new_process_of_a_node_replaces_the_old_one_at_once_and_late_answers_of_the_old_one_change_nothing()
    {
        var registry = NodeRegistry.Empty(2, 3).Announced(0, 0.3).Announced(0.3, 0.3);
        registry = registry.Heard(Beat("n1", "old", 1), ActorRefs.Nobody, 0.1).Heard(Beat("n1", "new", 2), ActorRefs.Nobody, 0.4);
        registry = registry.Heard(Beat("n1", "old", 2), ActorRefs.Nobody, 0.5);

        Assert.Equal("new", Assert.Single(registry.Usable(0.5)).Report.Incarnation);
    }

    [Fact]
    public void Answers_out_of_order_do_not_make_a_node_older()
    {
        var registry = NodeRegistry.Empty(2, 3).Announced(0, 0.3).Announced(2, 2);
        registry = registry.Heard(Beat("n1", "a", 2), ActorRefs.Nobody, 2.1).Heard(Beat("n1", "a", 1), ActorRefs.Nobody, 2.2);

        Assert.Single(registry.Usable(4.9));
    }

    [Fact]
    public void A_coordinator_that_was_asleep_does_not_blame_the_nodes()
    {
        var registry = NodeRegistry.Empty(2, 3).Announced(0, 0.3).Heard(Beat("n1", "a", 1), ActorRefs.Nobody, 0.1).Announced(10, 0.3);

        Assert.Single(registry.Usable(10));
        Assert.Empty(registry.Usable(13.1));
    }

    [Fact]
    public void A_clock_on_the_wall_shows_unix_time_and_never_goes_back()
    {
        var time = new ManualTime();
        var clock = RunClock.Wall(time);
        time.Advance(TimeSpan.FromSeconds(1.5));

        Assert.Equal(1_700_000_001.5, clock.Seconds, 6);
    }

    [Theory]
    [InlineData("0.0.0.0", false, false)]
    [InlineData("10.1.2.3", false, false)]
    [InlineData("somewhere.example", false, false)]
    [InlineData("127.0.0.1", false, true)]
    [InlineData("localhost", false, true)]
    [InlineData("10.1.2.3", true, true)]
    public void An_address_that_strangers_can_reach_is_refused_unless_something_protects_it(string address, bool insecure, bool accepted)
    {
        var error = Record.Exception(() => NodeSystem.CheckProtected(new ClusterOptions { Address = address, Insecure = insecure }));

        Assert.Equal(accepted, error is null);
        if (error is not null)
        {
            Assert.Contains("cluster.tls=true", Assert.IsType<RefusedException>(error).Message);
        }
    }

    [Theory]
    [InlineData("host")]
    [InlineData("host:")]
    [InlineData(":4053")]
    [InlineData("host:0")]
    [InlineData("host:70000")]
    [InlineData("host:+1")]
    public void A_seed_that_is_no_address_is_refused(string seed) =>
        Assert.Contains(seed, Assert.Throws<RefusedException>(() => NodeAddress.Parse(seed, tls: false)).Message);

    [Fact]
    public void The_journal_of_a_cluster_tells_term_current_run_and_outcomes()
    {
        var outcome = new RunProtocol.Outcome(OutcomeKind.Completed, 7, "done", "");
        var state = new IClusterEvent[]
        {
            new ClusterEvents.TookOver(1), new ClusterEvents.Submitted("a", "x=1"), new ClusterEvents.TookOver(2), new ClusterEvents.Ended("a", outcome),
            new ClusterEvents.Submitted("b", "x=2"),
        }.Aggregate(ClusterState.Empty, (s, e) => s.Apply(e));

        Assert.Equal((2, "b", outcome), (state.Term, state.Current?.Name, state.Outcomes["a"]));
        Assert.Empty(state.Apply(new ClusterEvents.Submitted("a", "x=1")).Outcomes);
    }

    internal static NodeProtocol.Beat Beat(string name, string incarnation, long number, long term = 2) =>
        new(term, number, new NodeReport(name, incarnation, ["stage"], "a:1", 1, 1, 1, ""));

    private static Address[] At(string hosts) => [.. hosts.Select(host => new Address("akka.tcp", "s", $"10.0.0.{host}", 1))];
}
