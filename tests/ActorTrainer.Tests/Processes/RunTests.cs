using System.Text.Json;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Ranges;
using Xunit;

namespace ActorTrainer.Tests.Processes;

[Collection(ProcessesCollection.Name)]
public class RunTests(ProgramFolder folder)
{
    [Fact]
    public void Dev_in_small_learns_and_writes_all_its_reports()
    {
        using var run = folder.StartSmall("dev", "dev", "train.budget.amount=120", "train.evaluate_every=60");

        run.ShouldEndWith(0).ShouldSay("held-out loss", "unigram entropy", "What to do next:", "name=dev-single");

        var metrics = RunMetrics.Read(folder.PathOf("dev"));
        Assert.Equal(Enumerable.Range(1, 120).Select(i => (long)i), metrics.Steps.Select(s => s.Step));
        Assert.True(metrics.Steps[^1].Loss < metrics.Steps[0].Loss - 0.5, run.Output);
        Assert.Equal([60L, 120L], metrics.Evaluations.Select(e => e.Step));
        Assert.True(metrics.Evaluations[^1].Loss < metrics.Evaluations[^1].UnigramEntropy, run.Output);
        Assert.Equal(120, RunMetrics.ReadDigests(folder.PathOf("dev")).Count);
        Assert.Equal(120, RunSummary.Load(folder.PathOf("dev")).Steps);
        Assert.Equal([0x89, .. "PNG\r\n\x1a\n"u8], File.ReadAllBytes(folder.PathOf("dev", "loss.png")).Take(8));
        using var trace = JsonDocument.Parse(File.ReadAllText(folder.PathOf("dev", "trace.json")));
        Assert.True(trace.RootElement.GetProperty("traceEvents").GetArrayLength() > 0);
        var model = Assert.Single(Directory.GetDirectories(folder.PathOf("dev", "checkpoints")));
        Assert.Equal(["model.safetensors", "model_config.json", "tokenizer.json"], Directory.GetFiles(model).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains("arch", File.ReadAllText(folder.PathOf("dev", "config.conf")));
        Assert.Equal("SQLite format 3\0"u8.ToArray(), File.ReadAllBytes(folder.PathOf("dev", "journal.db")).Take(16));
    }

    [Theory]
    [InlineData("single", "pipeline=single")]
    [InlineData("four", "pipeline=four")]
    [InlineData("gpipe", "pipeline=gpipe")]
    [InlineData("interleaved", "pipeline=interleaved")]
    [InlineData("wire", "impl.serialize_messages=true")]
    public void A_run_has_the_same_bits_whatever_its_stages_its_schedule_and_the_way_of_its_messages(string name, params string[] words)
    {
        using var run = folder.Pretrain(name, words);

        run.ShouldEndWith(0);

        folder.ShouldAgree(name);
    }

    [Fact]
    public void Range_training_changes_the_last_steps_only_and_leaves_a_calibration()
    {
        string[] ranges = ["arch.attention=gaussian-kernel", "train.range.calibrate_every=1", "train.range.steps=6"];
        using (var plain = folder.Pretrain("ranges-none", ranges))
        using (var punished = folder.Pretrain("ranges-punished", [.. ranges, "train.range.penalty=1", "train.range.relu=0.1", "pipeline=four"]))
        {
            plain.ShouldEndWith(0);
            punished.ShouldEndWith(0);
        }

        var steps = RunMetrics.ReadDigests(folder.PathOf("ranges-none")).Count;
        using var comparison = folder.Start("compare-runs", "ranges-none", "ranges-punished", "base_dir=runs");
        comparison.ShouldEndWith(1).ShouldSay($"differ first after step {steps - 5}");
        var sites = Calibration.Load(Path.Combine(Directory.GetDirectories(folder.PathOf("ranges-punished", "checkpoints")).Single(), Calibration.FileName)).Sites;
        Assert.Contains(sites, site => site.Function == PointFunction.KernelExp);
        Assert.Contains(sites, site => site.Function == PointFunction.NormInverseRoot);

        using var refused = folder.Pretrain("ranges-refused", "train.range.penalty=1", "train.budget.unit=hours");
        refused.ShouldEndWith(2).ShouldSay("their number must be known");
    }

    [Fact]
    public void Runs_of_different_seeds_are_told_apart_with_step_and_layer()
    {
        using var run = folder.Pretrain("seed-1", "seed=1", "train.budget.amount=3");
        run.ShouldEndWith(0);

        using var comparison = folder.Start("compare-runs", folder.Undisturbed, "seed-1", "base_dir=runs");

        comparison.ShouldEndWith(1).ShouldSay("differ first after step 1, in layer embedding: weights");
    }

    [Fact]
    public void A_complete_run_stays_as_it_is_when_its_command_is_given_again()
    {
        var before = State(folder.Undisturbed);

        using var again = folder.Pretrain(folder.Undisturbed);

        again.ShouldEndWith(0).ShouldSay("was already complete");
        Assert.Equal(before, State(folder.Undisturbed));
    }

    private string[] State(string run) =>
    [
        .. new[] { "metrics.jsonl", "digests.jsonl", "summary.json", "trace.json", "config.conf" }.Select(name => File.ReadAllText(folder.PathOf(run, name))),
        .. Directory.GetFiles(folder.PathOf(run, "store"), "*", SearchOption.AllDirectories).Order(),
    ];
}
