using Xunit;

namespace ActorTrainer.Tests.Processes;

/// <summary>Runs on node processes, compared with a run in one process that nothing disturbed.</summary>
[Collection(ProcessesCollection.Name)]
public class ClusterTests(ProgramFolder folder)
{
    [Fact]
    public void A_run_that_moves_from_two_nodes_to_three_and_back_while_it_trains_has_the_bits_of_one_that_never_moved()
    {
        const string name = "moving";
        using var nodes = new LocalNodes(folder, "cluster-moving");
        foreach (var node in new[] { 0, 1, 2 })
        {
            nodes.Start(node);
        }

        using var run = folder.Pretrain(name, nodes.Seeds);
        run.WaitForStep(3);
        nodes.Start(3);
        run.WaitForLine(line => line.StartsWith("n3 can be used: 3 stages instead of 2", StringComparison.Ordinal), "a move to the third node");
        run.WaitForLine(line => line.StartsWith("attempt 2 from step", StringComparison.Ordinal) && line.Contains("n3:", StringComparison.Ordinal), "an attempt with it");
        nodes.Leave(3);

        run.ShouldEndWith(0).ShouldSay("attempt 3 from step");
        folder.ShouldAgree(name);
    }

    [Fact]
    public void A_stage_node_and_the_coordinator_killed_one_after_the_other_change_no_bits_and_leave_no_debris()
    {
        const string name = "killed-nodes";
        const string often = "train.checkpoint_every=1";
        using var nodes = new LocalNodes(folder, "cluster-killed");
        foreach (var node in new[] { 0, 1, 2 })
        {
            nodes.Start(node);
        }

        using var run = folder.Pretrain(name, nodes.Seeds, often);
        run.WaitForStep(3);
        nodes.Kill(1);
        run.WaitForLine(line => line.StartsWith("attempt 2 from step", StringComparison.Ordinal), "an attempt without the node");
        nodes.Start(1);
        run.WaitForLine(line => line.StartsWith("n1 can be used", StringComparison.Ordinal), "a move back");
        run.WaitForLine(line => line.StartsWith("attempt 3 from step", StringComparison.Ordinal), "an attempt with it"); // killed before, the next one would be the third
        nodes.Kill(0);
        nodes.Start(0);

        run.ShouldEndWith(0).ShouldSay("attempt 4: goes on");
        folder.ShouldAgreeFolder("cluster-killed/n0/runs/" + name);
        foreach (var node in new[] { 0, 1, 2 })
        {
            Assert.DoesNotContain(folder.Files($"cluster-killed/n{node}"), file => file.EndsWith(".tmp", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_run_that_fits_no_node_is_refused_with_the_numbers()
    {
        using var nodes = new LocalNodes(folder, "cluster-small");
        nodes.Start(0);
        nodes.Start(1, "cluster.memory=1");

        using var run = folder.Pretrain("too-large", nodes.Seeds);

        run.ShouldEndWith(1).ShouldSay("MiB");
    }
}
