using ActorTrainer.Host.Cluster.Local;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.Chaos;

public class LocalClusterTests
{
    private const string Steady = "echo up; exec sleep 600";

    [Fact]
    public async Task A_killed_node_is_started_again_and_its_log_holds_both_lives()
    {
        await using var probe = new ClusterProbe(("a", Steady), ("b", Steady));
        probe.Cluster.Start();
        probe.Await("a says up");
        var before = probe.Cluster.Running["a"];

        Assert.True(probe.Cluster.Kill("a"));

        probe.Await("a says up", 2);
        Assert.NotEqual(before, probe.Cluster.Running["a"]);
        Assert.False(before.IsAlive);
        Assert.Equal(0, probe.Count("b Ended"));
        await probe.Cluster.Stop(TimeSpan.FromSeconds(5));
        Assert.Equal(["up", "up"], File.ReadAllLines(Path.Combine(probe.Cluster.FolderOf("a"), NodeLog.Name)));
    }

    [Fact]
    public async Task A_node_that_ends_by_itself_is_started_again_and_again()
    {
        await using var probe = new ClusterProbe(("a", "exit 3"));

        probe.Cluster.Start();

        probe.Await("a Started", 4);
    }

    [Fact]
    public async Task A_held_node_stays_away_until_it_is_released()
    {
        await using var probe = new ClusterProbe(("a", Steady));
        probe.Cluster.Start();
        probe.Await("a says up");

        probe.Cluster.Hold("a");
        probe.Await("a Ended");

        Assert.Empty(probe.Cluster.Running);
        Assert.False(probe.Cluster.Kill("a"));
        probe.Cluster.Release("a");
        probe.Await("a says up", 2);
        Assert.Equal(2, probe.Count("a Started"));
    }

    [Fact]
    public async Task A_paused_node_stands_still_and_goes_on_as_the_same_process()
    {
        await using var probe = new ClusterProbe(("a", "while read -r x < /proc/uptime; do echo tick; sleep 0.01; done"));
        probe.Cluster.Start();
        probe.Await("a says tick");
        var process = probe.Cluster.Running["a"];

        Assert.True(probe.Cluster.Pause("a"));
        Assert.True(SpinWait.SpinUntil(() => StateOf(process) == "T", TimeSpan.FromSeconds(5)));

        Assert.True(probe.Cluster.Resume("a"));
        probe.Await("a says tick", probe.Count("a says tick") + 2);
        Assert.Equal(process, probe.Cluster.Running["a"]);
    }

    [Fact]
    public async Task A_slow_node_stands_still_part_of_the_time_and_runs_again_at_the_end()
    {
        await using var probe = new ClusterProbe(("a", Steady));
        probe.Cluster.Start();
        probe.Await("a says up");
        var process = probe.Cluster.Running["a"];

        var slow = probe.Cluster.Slow("a", 0.3, TimeSpan.FromSeconds(0.4), CancellationToken.None);

        Assert.True(SpinWait.SpinUntil(() => StateOf(process) == "T", TimeSpan.FromSeconds(5)));
        await slow;
        Assert.NotEqual("T", StateOf(process));
    }

    [Fact]
    public async Task Stopping_ends_paused_nodes_and_those_that_ignore_the_wish()
    {
        await using var probe = new ClusterProbe(("polite", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done"), ("deaf", "trap '' TERM; echo up; while :; do sleep 0.01; done"), ("paused", Steady));
        probe.Cluster.Start();
        probe.Await("polite says up");
        probe.Await("deaf says up");
        probe.Await("paused says up");
        probe.Cluster.Pause("paused");

        await probe.Cluster.Stop(TimeSpan.FromSeconds(1));

        Assert.All(probe.Cluster.Ever, process => Assert.False(process.IsAlive));
        Assert.Equal(3, probe.Cluster.Ever.Count);
        Assert.False(File.Exists(Path.Combine(probe.Folder, PidFile.Name)));
        probe.Await("polite says bye");
    }

    [Fact]
    public async Task What_a_killed_supervisor_left_running_is_ended_at_the_next_start()
    {
        await using var old = new ClusterProbe(("a", Steady));
        old.Cluster.Start();
        old.Await("a says up");
        var left = old.Cluster.Running["a"];
        var folder = Directory.CreateTempSubdirectory("actortrainer-pids-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, PidFile.Name), $"supervisor 999999:1\na {left}\nb {left.Id}:1\ngarbage\n");
            var ended = new List<string>();

            PidFile.Claim(folder.FullName, (name, process) => ended.Add($"{name} {process}"));

            Assert.Equal([$"a {left}"], ended);
            Assert.True(SpinWait.SpinUntil(() => !left.IsAlive, TimeSpan.FromSeconds(5)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_folder_whose_supervisor_lives_is_refused()
    {
        await using var other = new ClusterProbe(("a", Steady));
        other.Cluster.Start();
        other.Await("a says up");
        var folder = Directory.CreateTempSubdirectory("actortrainer-pids-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, PidFile.Name), $"supervisor {other.Cluster.Running["a"]}\n");

            var refused = Assert.Throws<RefusedException>(() => PidFile.Claim(folder.FullName, (_, _) => { }));

            Assert.Contains("runs a cluster in", refused.Message);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_node_learns_its_parent_and_notices_its_end()
    {
        await using var probe = new ClusterProbe(("a", $"echo $ {ParentWatch.Variable}=${ParentWatch.Variable}; exec sleep 600"));
        probe.Cluster.Start();
        probe.Await($"a says $ {ParentWatch.Variable}={ProcessIdentity.Current}");
        using var gone = new ManualResetEventSlim();

        using var watch = ParentWatch.Begin(probe.Cluster.Running["a"].ToString(), gone.Set, TimeProvider.System);
        Assert.False(gone.IsSet);
        probe.Cluster.Hold("a");

        Assert.True(gone.Wait(TimeSpan.FromSeconds(10)));
        Assert.Null(ParentWatch.Begin("nonsense", gone.Set, TimeProvider.System));
        Assert.Null(ParentWatch.Begin(null, gone.Set, TimeProvider.System));
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_refused_by_name()
    {
        var folder = Directory.CreateTempSubdirectory("actortrainer-cluster-");
        try
        {
            await using var cluster = new LocalCluster(folder.FullName, [new NodeSpec("a", "/no/such/program", [])], TimeProvider.System);

            Assert.Contains("/no/such/program", Assert.Throws<RefusedException>(cluster.Start).Message);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string StateOf(ProcessIdentity process)
    {
        var text = File.ReadAllText($"/proc/{process.Id}/stat");
        return text[(text.LastIndexOf(')') + 2)..].Split(' ')[0];
    }
}
