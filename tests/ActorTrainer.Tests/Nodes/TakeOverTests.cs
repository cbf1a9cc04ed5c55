using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.Actors;
using Xunit;

namespace ActorTrainer.Tests.Nodes;

/// <summary>Clusters that lose their coordinator, or use TLS.</summary>
public class TakeOverTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task When_the_coordinators_node_is_killed_another_one_takes_over_and_no_bit_changes()
    {
        await using var cluster = new NumberCluster();
        var first = cluster.Start("n0", NodeReport.Role.Coordinator);
        cluster.Start("n1", NodeReport.Role.Coordinator);
        cluster.StartStage("n2");
        cluster.StartStage("n3");
        await using var client = cluster.Client();
        await NumberCluster.StagesAre(client, 2, Patience);
        Task? death = null;
        cluster.World.Misfortune = (stage, what, microBatch, step) =>
        {
            if ((stage, what, microBatch, step) == (1, "Forward", 0, 6))
            {
                death ??= first.Abort();
            }
        };

        await client.Submit("numbers", "a=1");
        var watching = new RecordingObserver();
        var outcome = await client.Watch("numbers", watching).WaitAsync(Patience);
        var status = await client.Status();

        Assert.True(outcome.Kind == OutcomeKind.Completed, $"{outcome.Message}\n{cluster.Logs()}");
        Assert.NotNull(death);
        Assert.Equal((2L, "n1"), (status.Term, status.Coordinator));
        Assert.Contains(watching.Notices, notice => notice.Contains("silent"));
        NumberCluster.AssertSameDigests(cluster.Preparation.Observer);
    }

    [Fact]
    public async Task A_cluster_with_certificates_trains_and_does_not_listen_to_others()
    {
        using var authority = new TestAuthority();
        using var strangers = new TestAuthority();
        await using var cluster = new NumberCluster();
        cluster.Authority = authority;
        cluster.Shared = cluster.Shared with { Tls = true, Authority = authority.File, Certificate = authority.Issue("client") };
        var first = cluster.Start("n0", NodeReport.Role.Coordinator);
        cluster.StartStage("n1");
        cluster.StartStage("n2");
        await using var client = cluster.Client();
        await NumberCluster.StagesAre(client, 2, Patience);
        await using var stranger = ClusterClient.Connect(
            new ClusterOptions { Seeds = [first.Address], Tls = true, Authority = authority.File, Certificate = strangers.Issue("client") },
            TimeProvider.System, TimeSpan.FromSeconds(3));

        await Assert.ThrowsAsync<RefusedException>(() => stranger.Submit("stolen", "a=1"));
        await client.Submit("numbers", "a=1");
        var outcome = await client.Watch("numbers", new RecordingObserver()).WaitAsync(Patience);

        Assert.True(outcome.Kind == OutcomeKind.Completed, $"{outcome.Message}\n{cluster.Logs()}");
        NumberCluster.AssertSameDigests(cluster.Preparation.Observer);
        Assert.Equal(["a=1"], cluster.Preparation.Settings);
    }
}
