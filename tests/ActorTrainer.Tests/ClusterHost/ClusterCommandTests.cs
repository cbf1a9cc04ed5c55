using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.Reports;
using Xunit;

namespace ActorTrainer.Tests.ClusterHost;

/// <summary>Commands of nodes and clients, with a cluster that only plays.</summary>
public sealed class ClusterCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_submitted_run_leaves_the_same_files_as_a_local_one_in_the_clients_folder()
    {
        var cluster = new FakeCluster
        {
            Play = (observer, _) =>
            {
                observer.OnAttempt(1, 0);
                observer.OnStep(Step(1, 1));
                observer.OnStep(Step(2, 1));
                observer.OnDigest(2, [new LayerDigest("embedding", "a", "b", "c")]);
                observer.OnEvaluation(new EvaluationMetrics(2, 3, 4, 0.5, 100, 1));
                return Task.FromResult(new RunProtocol.Outcome(OutcomeKind.Completed, 2, "2 steps done", "/node/runs/r/checkpoints/step-00000002"));
            },
        };
        var (code, output, error) = await Submit(cluster);

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("r: 2 steps done", output);
        Assert.Equal("r", Assert.Single(cluster.Submitted).Name);
        Assert.True(cluster.Disposed);
        var files = Directory.GetFiles(Path.Combine(_folder.FullName, "r")).Select(Path.GetFileName).ToHashSet();
        Assert.Superset(new HashSet<string?> { "metrics.jsonl", "digests.jsonl", "summary.json", "loss.png", "config.conf" }, files);
        Assert.DoesNotContain("journal.db", files);
    }

    [Fact]
    public async Task Ctrl_C_only_ends_the_looking_on_and_says_how_to_stop_the_run()
    {
        using var interrupt = new CancellationTokenSource();
        var cluster = new FakeCluster
        {
            Play = async (observer, cancellation) =>
            {
                observer.OnAttempt(1, 0);
                await interrupt.CancelAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
                throw new InvalidOperationException();
            },
        };
        var (code, output, error) = await Submit(cluster, interrupt.Token);

        Assert.Equal((1, ""), (code, error));
        Assert.Contains("`actortrainer stop name=r cluster=local` ends it", output);
        Assert.Empty(cluster.Stopped);
    }

    [Fact]
    public async Task Looking_on_again_keeps_the_steps_that_were_seen_before()
    {
        FakeCluster Playing(params long[] steps) => new()
        {
            Play = (observer, _) =>
            {
                observer.OnAttempt(2, 0);
                Array.ForEach(steps, step => observer.OnStep(Step(step, 2)));
                return Task.FromResult(new RunProtocol.Outcome(OutcomeKind.Stopped, 2, "stopped", ""));
            },
        };
        Assert.Equal(1, (await Submit(Playing(1, 2, 3))).Code);
        await Submit(Playing(3, 4, 5));

        Assert.Equal([1, 2, 3, 4, 5], RunMetrics.Read(Path.Combine(_folder.FullName, "r")).Steps.Select(step => step.Step));
    }

    [Fact]
    public async Task A_later_attempt_voids_the_steps_that_it_repeats()
    {
        var cluster = new FakeCluster
        {
            Play = (observer, _) =>
            {
                observer.OnAttempt(1, 0);
                observer.OnStep(Step(1, 1));
                observer.OnStep(Step(2, 1));
                observer.OnAttempt(2, 1);
                observer.OnStep(Step(2, 2));
                return Task.FromResult(new RunProtocol.Outcome(OutcomeKind.Completed, 2, "done", ""));
            },
        };
        await Submit(cluster);

        Assert.Equal([(1, 1), (2, 2)], RunMetrics.Read(Path.Combine(_folder.FullName, "r")).Steps.Select(step => (step.Step, step.Attempt)));
    }

    [Fact]
    public async Task A_refusal_of_the_cluster_ends_with_2()
    {
        var (code, _, error) = await Submit(new FakeCluster { Refusal = "Run 'other' is under way" });
        Assert.Equal(2, code);
        Assert.Contains("Run 'other' is under way", error);
    }

    [Fact]
    public async Task The_folder_of_a_local_run_is_not_mixed_with_a_followed_one()
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "r"));
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "r", "journal.db"), "");
        var cluster = new FakeCluster();
        var (code, _, error) = await Submit(cluster);
        Assert.Equal(2, code);
        Assert.Contains("trained without a cluster", error);
        Assert.Empty(cluster.Submitted);
    }

    [Fact]
    public async Task Placement_that_only_the_coordinators_node_decides_is_refused_from_a_client()
    {
        var cluster = new FakeCluster();
        var (code, _, error) = await Run(cluster, [.. Words, "cluster.stages=2"]);
        Assert.Equal(2, code);
        Assert.Contains("cluster.stages=2: placement is decided with the settings of the coordinator's node", error);
        Assert.Empty(cluster.Submitted);
    }

    [Fact]
    public async Task Status_lists_nodes_the_run_and_what_each_stage_waits_for()
    {
        var node = new NodeReport("n1", "x", ["stage"], "10.0.0.2:4200", 4, 2L << 30, 41.2, "");
        var cluster = new FakeCluster
        {
            Says = new(3, "n0", [new(node, 0.21, "stage 0 of 2")], new RunStatus("r", "step 12", 2, 12, 10, 0.25, ["stage 0 (n1) computes Forward(3)", "stage 1 (n2) does not answer"])),
        };
        var (code, output, _) = await Run(cluster, ["status", "cluster=local"]);
        Assert.Equal(0, code);
        Assert.Equal(
            """
            1 node, coordinated by n0 (take-over 3)
              node  roles  data plane     cores  memory     GFLOP/s  last beat  state
              n1    stage  10.0.0.2:4200  4      2,048 MiB  41.2     0.2 s ago  stage 0 of 2
            run r: step 12
              attempt 2, step 12, last commit at step 10, 25.0 % of the budget
              stage 0 (n1) computes Forward(3)
              stage 1 (n2) does not answer

            """.ReplaceLineEndings("\n"), output);
    }

    [Fact]
    public async Task Stop_asks_the_cluster_and_passes_its_refusal_on()
    {
        var cluster = new FakeCluster();
        Assert.Equal(0, (await Run(cluster, ["stop", "name=r", "cluster=local"])).Code);
        Assert.Equal(["r"], cluster.Stopped);
        Assert.Equal(2, (await Run(new FakeCluster { Refusal = "Run 'r' is not under way" }, ["stop", "name=r", "cluster=local"])).Code);
    }

    [Theory]
    [InlineData("status", "No cluster is named; add cluster=local")]
    [InlineData("stop name=r", "No cluster is named; add cluster=local")]
    [InlineData("node role=stage", "cluster.seeds is empty: a node needs")]
    [InlineData("node cluster=local", "role is missing")]
    [InlineData("node role=stge cluster=local", "there is no role stge; did you mean stage?")]
    [InlineData("node role=[stage,stage] cluster=local", "a role is named twice")]
    [InlineData("node role=stage cluster=local train.clip=1", "node does not read train.clip; it reads cluster.")]
    [InlineData("node role=stage cluster=local cluster.tls=true", "cluster.tls=true needs cluster.certificate and cluster.authority")]
    [InlineData("node role=stage cluster.seeds=[nowhere]", "has 'nowhere' where host:port belongs")]
    public async Task Nodes_and_clients_refuse_words_that_cannot_be_used(string words, string message)
    {
        var (code, _, error) = await Run(new FakeCluster(), words.Split(' '));
        Assert.Equal(2, code);
        Assert.Contains(message, error);
    }

    private string[] Words =>
        ["pretrain", "name=r", "arch=tiny", "train=dev", "data=sample", "impl=dev", "cluster=local", $"base_dir={_folder.FullName}"];

    private Task<(int Code, string Out, string Error)> Submit(FakeCluster cluster, CancellationToken interrupt = default) => Run(cluster, Words, interrupt);

    private static async Task<(int Code, string Out, string Error)> Run(FakeCluster cluster, string[] words, CancellationToken interrupt = default)
    {
        var table = new CommandTable(
        [
            new DelegateCommand(CommandDescriptions.Pretrain, (context, stop) => SubmitCommand.Run(context, _ => cluster, stop)),
            new DelegateCommand(ClusterCommandDescriptions.Node, NodeCommand.Run),
            new DelegateCommand(ClusterCommandDescriptions.Status, (context, stop) => StatusCommand.Run(context, _ => cluster, stop)),
            new DelegateCommand(ClusterCommandDescriptions.Stop, (context, stop) => StopCommand.Run(context, _ => cluster, stop)),
        ]);
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await App.Run(words, table, output, error, interrupt);
        return (code, output.ToString(), error.ToString());
    }

    private static StepMetrics Step(long step, int attempt) => new()
    {
        Step = step,
        Loss = 5,
        LearningRate = 1e-3,
        GradientNorm = 1,
        Sequences = 8,
        Tokens = 256,
        TotalTokens = 256 * step,
        Progress = step / 200.0,
        Seconds = 0.1,
        MicroBatches = 2,
        Attempt = attempt,
    };
}
