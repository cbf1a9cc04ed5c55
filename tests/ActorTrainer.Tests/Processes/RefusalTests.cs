using Xunit;

namespace ActorTrainer.Tests.Processes;

[Collection(ProcessesCollection.Name)]
public class RefusalTests(ProgramFolder folder)
{
    [Fact]
    public void An_unknown_key_is_refused_with_the_nearest_spelling_before_anything_is_written()
    {
        using var run = folder.Pretrain("unknown-key", "train.optm.lr=1e-3");

        run.ShouldEndWith(2).ShouldSay("train.optm.lr", "did you mean train.optim.lr?");
        Assert.False(Directory.Exists(folder.PathOf("unknown-key")));
    }

    [Fact]
    public void A_data_path_that_is_missing_is_refused_by_its_name()
    {
        using var none = folder.Start("pretrain", "name=no-path", "base_dir=runs", "data=text");
        using var wrong = folder.Start("pretrain", "name=wrong-path", "base_dir=runs", "data=text", "data.path=no-such.txt");

        none.ShouldEndWith(2).ShouldSay("data.path");
        wrong.ShouldEndWith(2).ShouldSay("no-such.txt");
        Assert.False(Directory.Exists(folder.PathOf("no-path")));
    }

    [Fact]
    public void A_second_process_is_refused_while_the_first_works_in_the_run_folder()
    {
        using var first = folder.Pretrain("shared", "train.budget.amount=1000000");
        first.WaitForStep(1);

        using var second = folder.Pretrain("shared", "train.budget.amount=1000000");

        second.ShouldEndWith(2).ShouldSay("Another process works in", "shared");
        first.Kill();
    }

    [Fact]
    public void Another_seed_under_the_name_of_a_run_is_refused_and_leaves_the_run_as_it_was()
    {
        var config = folder.PathOf(folder.Undisturbed, "config.conf");
        var before = File.ReadAllText(config);

        using var run = folder.Pretrain(folder.Undisturbed, "seed=7");

        run.ShouldEndWith(2).ShouldSay("seed: 0 in the run, 7 now");
        Assert.Equal(before, File.ReadAllText(config));
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_the_run_and_names_the_step_and_the_stage()
    {
        using var run = folder.Pretrain(
            "diverging", "train.optim.lr=10", "train.optim.weight_decay=10", "train.clip=0", "train.schedule=constant", "train.warm_up=0");

        run.ShouldEndWith(1);

        Assert.Matches(@"step \d+: NaN or infinity in .* stage \d", run.Output);
        run.ShouldSay("train.non_finite=skip");
    }

    [Fact]
    public void A_damaged_checkpoint_stops_the_run_with_the_file_named_and_the_restored_file_lets_it_go_on()
    {
        const string name = "damaged";
        folder.PretrainAndKill(name, 25);
        var states = Directory.GetFiles(folder.PathOf(name, "store"), "*", SearchOption.AllDirectories)
            .Where(file => !file.EndsWith(".tmp", StringComparison.Ordinal) && File.ReadAllBytes(file)[0] != '{').ToList();
        states.ForEach(FlipMiddleByte);
        using (var damaged = folder.Pretrain(name))
        {
            damaged.ShouldEndWith(1).ShouldSay("is damaged");
            Assert.Contains(states, file => damaged.Output.Contains(file, StringComparison.Ordinal));
        }

        states.ForEach(FlipMiddleByte);

        using var restored = folder.Pretrain(name);
        restored.ShouldEndWith(0).ShouldSay("goes on after step");
        folder.ShouldAgree(name);
    }

    private static void FlipMiddleByte(string file)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(file, bytes);
    }
}
