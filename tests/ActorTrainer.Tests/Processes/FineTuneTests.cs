using ActorTrainer.Model.Export;
using Xunit;

namespace ActorTrainer.Tests.Processes;

[Collection(ProcessesCollection.Name)]
public class FineTuneTests(ProgramFolder folder)
{
    private static readonly string[] Quick =
    [
        "base_dir=runs", "data.cache=cache", "eval.tasks=[sst2]", "eval.train_rows=200", "eval.epochs=3", "eval.batch_size=16", "eval.pooler_rank=4",
        "eval.pooler_width=16", "eval.checkpoint_every=4", "eval.optim.lr=2e-3", "eval.calibrate_every=5", "impl=dev",
    ];

    [Theory]
    [InlineData("full")]
    [InlineData("lora")]
    public void A_fine_tuning_killed_in_the_middle_ends_with_the_bits_of_an_undisturbed_one_with_other_stages(string method)
    {
        using (var undisturbed = FineTune($"{method}-whole", method, "pipeline=single"))
        {
            undisturbed.ShouldEndWith(0).ShouldSay("38 steps done", "majority class");
        }

        using (var killed = FineTune($"{method}-killed", method, "pipeline=two"))
        {
            killed.WaitForStep(5);
            killed.Kill();
        }

        using (var rest = FineTune($"{method}-killed", method, "pipeline=four"))
        {
            rest.ShouldEndWith(0).ShouldSay("goes on after step", "in 4 stage(s)");
        }

        using var comparison = folder.Start("compare-runs", Run($"{method}-whole"), Run($"{method}-killed"));
        comparison.ShouldEndWith(0).ShouldSay("agree bit for bit: 38 steps (1 … 38), 4 layers");
    }

    [Fact]
    public void A_fine_tuning_on_a_cluster_whose_coordinator_and_stage_are_killed_has_the_bits_and_scores_of_one_in_a_single_process()
    {
        string[] longer = ["eval.epochs=24", "eval.checkpoint_every=10"];
        using var here = FineTune("here", "lora", longer);
        here.ShouldEndWith(0);

        using var nodes = new LocalNodes(folder, "cluster-finetune");
        foreach (var node in new[] { 0, 1, 2 })
        {
            nodes.Start(node);
        }

        using (var run = FineTune("there", "lora", [nodes.Seeds, .. longer]))
        {
            run.WaitForStep(12);
            nodes.Kill(0);
            nodes.Start(0);
            run.WaitForLine(line => line.StartsWith("attempt 2: goes on", StringComparison.Ordinal), "an attempt of the new coordinator"); // also told to who looks on later
            run.WaitForStep(60);
            nodes.Kill(1);
            run.ShouldEndWith(0).ShouldSay("attempt 3: goes on", "step 300  dev  accuracy");
            Assert.Equal(Scores(here), Scores(run));
        }

        // The client has not seen the steps between its old and its new coordinator; the node has all.
        using var comparison = folder.Start("compare-runs", Run("here"), Path.Combine("cluster-finetune", "n0", "runs", $"{folder.Undisturbed}-there-sst2-1"));
        comparison.ShouldEndWith(0).ShouldSay("agree bit for bit: 300 steps (1 … 300), 4 layers");

        string Scores(ProgramProcess process) => process.Output.Split('\n').Last(line => line.Contains("majority class", StringComparison.Ordinal));
    }

    [Fact]
    public void A_fine_tuned_model_is_evaluated_exactly_and_by_polynomials_and_predicts_the_test_set()
    {
        using (var trained = FineTune("scored", "lora", "pipeline=two"))
        {
            trained.ShouldEndWith(0);
        }

        using (var one = Evaluate("eval.evaluators=1", "eval.evaluation_batch=64"))
        using (var three = Evaluate("eval.evaluators=3", "eval.evaluation_batch=7"))
        {
            one.ShouldEndWith(0).ShouldSay("160 rows");
            three.ShouldEndWith(0);
            Assert.Equal(one.Output, three.Output);
            var adapterFile = Path.Combine(Directory.GetDirectories(Path.Combine(Run("scored"), "checkpoints")).Single(), "adapter.safetensors");
            using var adapter = Evaluate($"adapter={adapterFile}");
            adapter.ShouldEndWith(0);
            adapter.ShouldSay(one.Output.Split('\n').Single(line => line.Contains("160 rows", StringComparison.Ordinal)));
        }

        using var polynomial = Evaluate("eval.functions=polynomial", "--predict");
        polynomial.ShouldEndWith(0).ShouldSay("160 rows", "inside of the domains of 10 functions", "60 predictions in");

        ProgramProcess Evaluate(params string[] words) => folder.Start(
            ["evaluate", $"name={folder.Undisturbed}", "eval.label=scored", "base_dir=runs", "data.cache=cache", "eval.tasks=[sst2]", .. words]);
    }

    [Fact]
    public void An_export_killed_half_way_goes_on_and_train_and_dev_stand_side_by_side()
    {
        string[] words = ["export", $"name={folder.Undisturbed}", "base_dir=runs", "data.cache=cache", "eval.tasks=[rte]", $"out={folder.PathOf("exported")}"];
        using (var killed = folder.Start(words))
        {
            killed.Kill();
        }

        using var whole = folder.Start(words);
        whole.ShouldEndWith(0);
        foreach (var (split, rows) in new[] { ("train", 600), ("dev", 160) })
        {
            using var reader = ExportReader.Open(DataExport.FolderOf(folder.PathOf("exported"), "rte", split));
            Assert.Equal(rows, reader.Count);
        }
    }

    [Fact]
    public void A_calibrated_fine_tuning_can_be_rehearsed_as_a_whole_by_polynomials()
    {
        string[] encrypted = ["eval.optim.eps=1e-4", "eval.optim.eps_inside_root=true"];
        using (var exact = FineTune("exact", "lora", ["pipeline=two", .. encrypted]))
        {
            exact.ShouldEndWith(0);
        }

        var calibration = Path.Combine(Directory.GetDirectories(Path.Combine(Run("exact"), "checkpoints")).Single(), "calibration.json");
        using (var refused = FineTune("rehearsal", "lora", ["eval.functions=polynomial", $"eval.calibration={calibration}"]))
        {
            refused.ShouldEndWith(2).ShouldSay("eval.optim.eps_inside_root=true");
        }

        using var rehearsal = FineTune("rehearsal", "lora", ["pipeline=single", "eval.functions=polynomial", $"eval.calibration={calibration}", .. encrypted]);
        rehearsal.ShouldEndWith(0).ShouldSay("38 steps done", "training: all inputs inside of the domains", "scoring: all inputs inside of the domains of 10 functions");
    }

    [Theory]
    [InlineData("eval.checkpoint=nowhere", "expected latest, smallest-loss, a model folder or a safetensors file")]
    [InlineData("eval.tasks=[sst3]", "sst3")]
    [InlineData("eval.functions=polynomial", "fine-tune with eval.calibrate_every=10 first")]
    [InlineData("eval.path=nowhere", "expected SST-2/train.tsv")]
    public void What_cannot_be_fine_tuned_is_refused_with_what_to_do(string word, string complaint)
    {
        using var refused = folder.Start(["finetune", $"name={folder.Undisturbed}", "eval.label=refused", .. Quick.Where(quick => quick.Split('=')[0] != word.Split('=')[0]), word]);
        refused.ShouldEndWith(2);
        refused.ShouldSay(complaint);
    }

    private ProgramProcess FineTune(string label, string method, params string[] words) => folder.Start(
        ["finetune", $"name={folder.Undisturbed}", $"eval.label={label}", $"eval.method={method}", .. Quick.Where(quick => words.All(word => word.Split('=')[0] != quick.Split('=')[0])), .. words]);

    private string Run(string label) => folder.PathOf(folder.Undisturbed, "finetune", label, "sst2-1");
}
