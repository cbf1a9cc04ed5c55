using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.Actors;
using Xunit;

namespace ActorTrainer.Tests.Nodes;

/// <summary>Whole clusters in this process: three actor systems, their data planes and a client, over loopback.</summary>
public class ClusterNodeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    [Fact]
    public async Task A_run_on_a_cluster_ends_with_the_digests_of_a_run_in_one_process()
    {
        await using var cluster = new NumberCluster();
        cluster.Start("n0", NodeReport.Role.Coordinator);
        cluster.StartStage("n1");
        cluster.StartStage("n2");
        await using var client = cluster.Client();
        await NumberCluster.StagesAre(client, 2, Patience);

        await client.Submit("numbers", "a=1");
        var observer = new RecordingObserver();
        var outcome = await client.Watch("numbers", observer).WaitAsync(Patience);
        var status = await client.Status();

        Assert.True(outcome.Kind == OutcomeKind.Completed, $"{outcome.Message}\n{cluster.Logs()}");
        Assert.Equal(2, cluster.World.Calls.Select(call => call.Stage).Distinct().Count());
        NumberCluster.AssertSameDigests(cluster.Preparation.Observer);
        Assert.Equal((1, "n0", "numbers"), (status.Term, status.Coordinator, status.Run?.Name));
        Assert.Contains("completed", status.Run!.State);
    }

    [Fact]
    public async Task A_stage_node_that_is_killed_in_the_middle_changes_no_bit()
    {
        await using var cluster = new NumberCluster();
        cluster.Start("n0", NodeReport.Role.Coordinator);
        cluster.StartStage("n1");
        var victim = cluster.StartStage("n2");
        await using var client = cluster.Client();
        await NumberCluster.StagesAre(client, 2, Patience);
        Task? death = null;
        cluster.World.Misfortune = (stage, what, microBatch, step) =>
        {
            if ((stage, what, microBatch, step) == (1, "Forward", 0, 6))
            {
                death ??= victim.Abort();
            }
        };

        await client.Submit("numbers", "a=1");
        var outcome = await client.Watch("numbers", new RecordingObserver()).WaitAsync(Patience);

        Assert.True(outcome.Kind == OutcomeKind.Completed, $"{outcome.Message}\n{cluster.Logs()}");
        Assert.NotNull(death);
        Assert.Equal([0L, 4L], cluster.Preparation.Observer.Attempts.Select(attempt => attempt.From).Distinct());
        NumberCluster.AssertSameDigests(cluster.Preparation.Observer);
    }

    [Fact]
    public async Task A_node_that_leaves_says_so_and_ends()
    {
        await using var cluster = new NumberCluster();
        cluster.Start("n0", NodeReport.Role.Coordinator);
        var leaving = cluster.StartStage("n1");
        await using var client = cluster.Client();
        await NumberCluster.StagesAre(client, 1, Patience);

        await leaving.Leave().WaitAsync(Patience);

        Assert.Equal("", await leaving.Ended);
    }

    [Fact]
    public async Task A_client_that_reaches_nobody_says_where_it_looked_and_what_to_do()
    {
        await using var client = ClusterClient.Connect(new ClusterOptions { Seeds = ["127.0.0.1:1"] }, TimeProvider.System, TimeSpan.FromSeconds(1));

        var error = await Assert.ThrowsAsync<RefusedException>(() => client.Status());

        Assert.Contains("127.0.0.1:1", error.Message);
        Assert.Contains("cluster up", error.Message);
    }
}
