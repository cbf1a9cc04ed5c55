using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.Reports;

public class CompareRunsTests
{
    [Fact]
    public void Equal_runs_agree_with_exit_code_0()
    {
        var comparison = CompareRuns.Compare(Run((1, Samples.Layers()), (2, Samples.Layers())), Run((1, Samples.Layers()), (2, Samples.Layers())));
        Assert.Null(comparison.First);
        Assert.Equal([1, 2], comparison.Compared);
        var (code, text) = Print(comparison);
        Assert.Equal(0, code);
        Assert.Contains("agree bit for bit: 2 steps (1 … 2), 3 layers", text);
        Assert.DoesNotContain("only", text);
    }

    [Fact]
    public void The_first_differing_step_layer_and_part_are_named_with_exit_code_1()
    {
        var layers = Samples.Layers();
        LayerDigest[] optimiser = [layers[0], layers[1] with { Optimiser = "xx" }, layers[2] with { Weights = "yy" }];
        var a = Run((1, layers), (2, layers), (3, Samples.Layers("zz")));
        var b = Run((1, layers), (2, optimiser), (3, layers));
        var comparison = CompareRuns.Compare(a, b);
        Assert.Equal(new DigestDifference(2, "layers.0", DigestPart.Optimiser, "bb", "xx"), comparison.First);
        Assert.Equal([1, 2], comparison.Compared);
        var (code, text) = Print(comparison);
        Assert.Equal(1, code);
        Assert.Contains("first after step 2, in layer layers.0: optimiser state bb against xx", text);
        Assert.Contains("agree before: 1 step (1)", text);
    }

    [Theory]
    [InlineData("xx", "xx", "xx", DigestPart.Weights)]
    [InlineData("ba", "xx", "xx", DigestPart.Optimiser)]
    [InlineData("ba", "bb", "xx", DigestPart.Rng)]
    public void Of_one_layer_weights_come_before_the_optimiser_and_that_before_the_rng(string weights, string optimiser, string rng, DigestPart part)
    {
        var layers = Samples.Layers();
        LayerDigest[] other = [layers[0], new("layers.0", weights, optimiser, rng), layers[2]];
        Assert.Equal(part, CompareRuns.Compare(Run((1, layers)), Run((1, other))).First!.Part);
    }

    [Fact]
    public void A_layer_in_one_run_only_is_a_difference()
    {
        var (longer, shorter) = (Run((1, Samples.Layers())), Run((1, Samples.Layers()[..2])));
        Assert.Equal(new DigestDifference(1, "head", DigestPart.Layer, "cc", null), CompareRuns.Compare(longer, shorter).First);
        var (code, text) = Print(CompareRuns.Compare(shorter, longer));
        Assert.Equal(1, code);
        Assert.Contains("layer head: only run B has it", text);
    }

    [Fact]
    public void Steps_in_one_run_only_are_told_and_not_held_against_it()
    {
        var layers = Samples.Layers();
        var comparison = CompareRuns.Compare(Run((1, layers), (2, layers), (3, layers), (4, layers)), Run((2, layers), (4, layers), (6, layers)));
        var (code, text) = Print(comparison);
        Assert.Equal(0, code);
        Assert.Equal([2, 4], comparison.Compared);
        Assert.Contains("in A only, not compared: 2 steps (1 … 3)", text);
        Assert.Contains("in B only, not compared: 1 step (6)", text);
    }

    [Fact]
    public void A_run_without_digests_is_refused_with_the_switch_that_writes_them()
    {
        var (with, without) = (Run((1, Samples.Layers())), Samples.Folder());
        foreach (var (a, b) in new[] { (with, without), (without, with) })
        {
            var e = Assert.Throws<RefusedException>(() => CompareRuns.Compare(a, b));
            Assert.Contains(without, e.Message);
            Assert.Contains("impl.digest_every=1", e.Message);
        }
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_refused_with_its_name()
    {
        var missing = Path.Combine(Samples.Folder(), "nobody");
        Assert.Contains(missing, Assert.Throws<RefusedException>(() => CompareRuns.Compare(Run((1, Samples.Layers())), missing)).Message);
    }

    [Fact]
    public void Runs_without_a_step_in_common_are_refused()
    {
        var e = Assert.Throws<RefusedException>(() => CompareRuns.Compare(Run((1, Samples.Layers())), Run((2, Samples.Layers()))));
        Assert.Contains("no step to compare", e.Message);
        Assert.Contains("1 step (2)", e.Message);
    }

    private static string Run(params (long Step, LayerDigest[] Layers)[] digests)
    {
        var folder = Samples.Folder();
        using var log = new MetricsLog(folder);
        foreach (var (step, layers) in digests)
        {
            log.OnDigest(step, layers);
        }

        return folder;
    }

    private static (int Code, string Text) Print(RunComparison comparison)
    {
        var output = new StringWriter();
        return (CompareRuns.Print(comparison, output), output.ToString());
    }
}
