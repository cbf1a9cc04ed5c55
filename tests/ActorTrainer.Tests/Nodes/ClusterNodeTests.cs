using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.Actors;
using Akka.Actor;
using Akka.Configuration;
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
        await StagesAre(client, 2);

        await client.Submit("numbers", "a=1");
        var observer = new RecordingObserver();
        var outcome = await client.Watch("numbers", observer).WaitAsync(Patience);
        var status = await client.Status();

        Assert.True(outcome.Kind == OutcomeKind.Completed, $"{outcome.Message}\n{cluster.Logs()}");
        Assert.Equal(2, cluster.World.Calls.Select(call => call.Stage).Distinct().Count());
        AssertSameDigests(cluster.Preparation.Observer);
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
        await StagesAre(client, 2);
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
        AssertSameDigests(cluster.Preparation.Observer);
    }

    [Fact]
    public async Task A_node_that_leaves_says_so_and_ends()
    {
        await using var cluster = new NumberCluster();
        cluster.Start("n0", NodeReport.Role.Coordinator);
        var leaving = cluster.StartStage("n1");
        await using var client = cluster.Client();
        await StagesAre(client, 1);

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

    /// <summary>Waits until the coordinator knows this many stages that answer.</summary>
    private static async Task StagesAre(ClusterClient client, int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        while ((await client.Status(patience.Token)).Nodes.Count(node => node.Node.IsStage && node.State == "free") < count)
        {
            await Task.Delay(50, patience.Token);
        }
    }

    private static void AssertSameDigests(RecordingObserver actual)
    {
        var expected = new RecordingObserver();
        var services = NumberRun.Services(NumberRun.Options(), new NumberWorld(), expected);
        using var system = ActorSystem.Create("reference", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF"));
        var run = system.ActorOf(Props.Create(() => new RunCoordinator(services)));
        Assert.Equal(OutcomeKind.Completed, run.Ask<RunProtocol.Outcome>(new RunProtocol.Start(), Patience).GetAwaiter().GetResult().Kind);
        Assert.NotEmpty(expected.Digests);
        Assert.Equal(expected.Digests.Keys.Order(), actual.Digests.Keys.Order());
        foreach (var (step, digests) in expected.Digests)
        {
            Assert.Equal(digests, actual.Digests[step]);
        }
    }
}
