using ActorTrainer.Host.Chaos;
using ActorTrainer.Host.Cluster.Local;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using Xunit;

namespace ActorTrainer.Tests.Chaos;

public sealed class ClusterAuditTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("actortrainer-audit-");

    [Fact]
    public void Objects_that_a_checkpoint_of_any_node_names_are_in_order_and_others_are_orphans()
    {
        var (coordinator, stage) = (Store("n0"), Store("n1"));
        var state = stage.Put("state"u8.ToArray());
        Manifest(3, state).Write(coordinator);
        Manifest(2, state).Write(coordinator);

        var clean = ClusterAudit.Of(_folder.FullName);
        var orphan = stage.Put("{ no manifest"u8.ToArray());
        File.WriteAllText(Path.Combine(_folder.FullName, "n1", ".half.tmp"), "");
        var dirty = ClusterAudit.Of(_folder.FullName);

        Assert.Empty(clean.Orphans);
        Assert.Empty(clean.Temporary);
        Assert.Equal(3, clean.Last?.Step);
        Assert.Equal([stage.PathOf(orphan)], dirty.Orphans);
        Assert.EndsWith(".half.tmp", Assert.Single(dirty.Temporary));
    }

    [Fact]
    public void Digests_of_several_coordinators_become_one_run_and_a_difference_between_them_is_found()
    {
        Digests("n0", (1, "a"), (2, "b"));
        Digests("n1", (2, "b"), (3, "c"));
        var merged = Path.Combine(_folder.FullName, "merged");

        Assert.Empty(ClusterAudit.MergeDigests([PathOf("n0"), PathOf("n1"), PathOf("none")], merged));
        Assert.Equal([1L, 2L, 3L], RunMetrics.ReadDigests(merged).Keys);

        Digests("n2", (3, "other"));
        Assert.Equal([3L], ClusterAudit.MergeDigests([PathOf("n0"), PathOf("n1"), PathOf("n2")], merged));
    }

    [Fact]
    public void Chaos_removes_only_folders_that_it_made()
    {
        var mine = ChaosFolder.Fresh(PathOf("mine"));
        File.WriteAllText(Path.Combine(mine, "old"), "");

        Assert.False(File.Exists(Path.Combine(ChaosFolder.Fresh(mine), "old")));
        File.WriteAllText(Path.Combine(_folder.CreateSubdirectory("theirs").FullName, "precious"), "");
        Assert.Throws<ActorTrainer.Model.Common.RefusedException>(() => ChaosFolder.Fresh(PathOf("theirs")));
        Assert.True(File.Exists(Path.Combine(PathOf("theirs"), "precious")));
    }

    [Fact]
    public void Where_the_machine_allows_it_a_network_is_made_cut_healed_and_removed()
    {
        using var network = NetworkNamespaces.TryCreate(2, out var reason);
        if (network is null)
        {
            Assert.NotEmpty(reason); // no root, or no ip: the plan's commands are tested apart
            return;
        }

        bool Made() => File.Exists($"/run/netns/{network.Plan.Inside(1)[3]}");
        Assert.True(Made());
        network.Cut(0, 1);
        network.Heal(0, 1);
        network.Heal(0, 1);
        network.Dispose();
        Assert.False(Made());
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static CheckpointManifest Manifest(long step, string unit) => new()
    {
        Run = "r",
        Step = step,
        Tokens = 1,
        Sequences = 1,
        Seconds = 1,
        Seed = 1,
        Arch = new BertConfig(),
        TrainHash = "",
        OptimiserStep = step,
        Units = new Dictionary<string, string> { ["head"] = unit },
        TokenizerHash = "",
        DataKey = "",
    };

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private ContentStore Store(string node) => new(Path.Combine(_folder.FullName, node, "objects-of-runs", "r", "store"));

    private void Digests(string node, params (int Step, string Digest)[] lines) => File.WriteAllLines(
        Path.Combine(Directory.CreateDirectory(PathOf(node)).FullName, MetricsLog.DigestsFile),
        lines.Select(line => $$"""{"step":{{line.Step}},"layers":[{"layer":"head","weights":"{{line.Digest}}","optimiser":"o","rng":"r"}]}"""));
}
