using ActorTrainer.Host.Cluster.Local;
using Xunit;

namespace ActorTrainer.Tests.Chaos;

public class ClusterLayoutTests
{
    [Fact]
    public void Nodes_count_up_from_the_coordinator_and_all_know_all()
    {
        var layout = new ClusterLayout { Stages = 2, Spares = 1, Folder = "/c", Settings = ["cluster.lease=2"] };

        Assert.Equal(["n0"], layout.CoordinatorNames);
        Assert.Equal(["n1", "n2", "n3"], layout.StageNames);
        Assert.Equal(
            [
                "node", "role=[stage]", "cluster.node=n1", "cluster.address=127.0.0.1", "cluster.port=4101", "cluster.data_port=4201", "cluster.folder=/c/n1",
                "cluster.seeds=[127.0.0.1:4100,127.0.0.1:4101,127.0.0.1:4102,127.0.0.1:4103]", "cluster.spares=1", "cluster.lease=2",
            ],
            layout.Words(1));
        Assert.Equal("role=[coordinator]", layout.Words(0)[1]);
    }

    [Fact]
    public void Several_coordinators_share_a_journal_and_one_keeps_its_own()
    {
        var two = new ClusterLayout { Coordinators = 2, Folder = "/c" };

        Assert.All([0, 1], node => Assert.Contains("cluster.journal_connection=/c/journal.db", two.Words(node)));
        Assert.DoesNotContain(two.Words(2), word => word.Contains("journal", StringComparison.Ordinal));
        Assert.DoesNotContain(new ClusterLayout().Words(0), word => word.Contains("journal", StringComparison.Ordinal));
    }

    [Fact]
    public void Addresses_other_than_loopback_are_allowed_explicitly()
    {
        var layout = new ClusterLayout { Address = index => $"10.201.1.{index + 1}", Networked = true };

        Assert.Contains("cluster.insecure=true", layout.Words(2));
        Assert.Equal("10.201.1.3:4102", layout.Seeds[2]);
    }

    [Theory]
    [InlineData(4100, "cluster=local")]
    [InlineData(5100, "cluster.seeds=[127.0.0.1:5100,127.0.0.1:5101]")]
    public void The_welcome_says_how_to_reach_the_cluster(int port, string how) =>
        Assert.Contains(how, ClusterUpCommand.Welcome(new ClusterLayout { Stages = 1, Port = port }));

    [Fact]
    public void Waiting_doubles_up_to_a_limit_and_begins_anew_after_a_long_life()
    {
        var backoff = new RestartBackoff();

        Assert.Equal([0.1, 0.2, 0.4, 0.8, 1.6, 2, 2], Enumerable.Range(1, 7).Select(ends => backoff.After(ends).TotalSeconds));
        Assert.Equal(2, backoff.After(5000).TotalSeconds);
        Assert.Equal(4, backoff.Count(3, TimeSpan.FromSeconds(9.9)));
        Assert.Equal(1, backoff.Count(3, TimeSpan.FromSeconds(10)));
    }
}
