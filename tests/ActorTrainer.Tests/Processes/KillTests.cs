using ActorTrainer.Host.Reports;
using Xunit;

namespace ActorTrainer.Tests.Processes;

[Collection(ProcessesCollection.Name)]
public class KillTests(ProgramFolder folder)
{
    /// <summary>Manifest and four units (embedding, two layers, head) of a checkpoint.</summary>
    private const int ObjectsOfCheckpoint = 5;

    private readonly Random _random = new(20);

    [Fact]
    public void A_run_killed_soon_after_its_start_and_at_random_steps_ends_with_the_bits_of_an_undisturbed_one_also_with_other_stages()
    {
        const string name = "killed";
        using (var run = folder.Pretrain(name))
        {
            run.WaitForLine(line => line.StartsWith("model:", StringComparison.Ordinal), "its model");
            run.Kill();
        }

        folder.PretrainAndKill(name, _random.Next(3, 20));
        folder.PretrainAndKill(name, _random.Next(20, 40));
        using var last = folder.Pretrain(name, "pipeline=four");

        last.ShouldEndWith(0).ShouldSay("goes on after step", "in 4 stage(s)");
        folder.ShouldAgree(name);
        Assert.Equal(Enumerable.Range(1, ProgramFolder.Steps).Select(i => (long)i), RunMetrics.Read(folder.PathOf(name)).Steps.Select(s => s.Step));
    }

    [Fact]
    public void A_run_killed_while_it_writes_checkpoints_goes_on_and_leaves_no_debris()
    {
        const string name = "killed-in-checkpoints";
        const string often = "train.checkpoint_every=1";
        var seen = 0L;
        for (var kill = 0; kill < 3; kill++)
        {
            using var run = folder.Pretrain(name, often);
            run.WaitForStep(seen + 1);
            KillAtTemporaryFile(run, folder.PathOf(name, "store", "objects"), _random.Next(1, 20));
            seen = RunMetrics.Read(folder.PathOf(name)).Steps[^1].Step;
        }

        // What a kill in the middle of a write leaves, whether or not one of those above hit one.
        File.WriteAllText(folder.PathOf(name, ".digests.jsonl.0123.tmp"), "cut sh");
        File.WriteAllText(folder.PathOf(name, "store", "objects", "0123.tmp"), "cut sh");
        using var last = folder.Pretrain(name, often);

        last.ShouldEndWith(0).ShouldSay("goes on after step");
        folder.ShouldAgree(name);
        var files = Directory.GetFiles(folder.PathOf(name), "*", SearchOption.AllDirectories);
        Assert.DoesNotContain(files, file => file.EndsWith(".tmp", StringComparison.Ordinal));
        var objects = Directory.GetFiles(folder.PathOf(name, "store"), "*", SearchOption.AllDirectories);
        Assert.InRange(objects.Length, ObjectsOfCheckpoint + 1, 2 * ObjectsOfCheckpoint);
    }

    [Fact]
    public void Ctrl_C_commits_the_step_under_way_and_the_same_command_goes_on_from_there()
    {
        const string name = "interrupted";
        using (var run = folder.Pretrain(name, "train.checkpoint_every=0"))
        {
            run.WaitForStep(_random.Next(5, 25));
            run.Interrupt();
            run.ShouldEndWith(1).ShouldSay("stopping", "the same command goes on from there");
        }

        var committed = RunMetrics.Read(folder.PathOf(name)).Steps[^1].Step;
        using var last = folder.Pretrain(name, "train.checkpoint_every=0");

        last.ShouldEndWith(0).ShouldSay($"goes on after step {committed}");
        folder.ShouldAgree(name);
    }

    /// <summary>Kills a process once it has made the n-th temporary file in a folder from now on: while it writes.</summary>
    private static void KillAtTemporaryFile(ProgramProcess run, string objects, int number)
    {
        using var reached = new ManualResetEventSlim();
        var made = 0;
        using var watcher = new FileSystemWatcher(objects, "*.tmp");
        watcher.Created += (_, _) =>
        {
            if (Interlocked.Increment(ref made) == number)
            {
                reached.Set();
            }
        };
        watcher.EnableRaisingEvents = true;
        Assert.True(reached.Wait(TimeSpan.FromMinutes(1)), $"{made} of {number} temporary files were made in a minute:\n{run.Output}");
        run.Kill();
    }
}
