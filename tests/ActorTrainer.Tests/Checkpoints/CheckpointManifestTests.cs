using System.Text;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using Xunit;

namespace ActorTrainer.Tests.Checkpoints;

public class CheckpointManifestTests
{
    private static readonly CheckpointManifest Example = new()
    {
        Run = "test \"ü\"",
        Step = 100,
        Tokens = 12_345_678_901,
        Sequences = 96_450_616,
        Seconds = 0.1 + 0.2,
        Seed = ulong.MaxValue,
        Arch = new BertConfig { Layers = 2, Attention = AttentionKind.GaussianKernel, Activation = GateActivation.Relu, FusedQkv = false },
        TrainHash = CheckpointManifest.HashOf(new TrainOptions()),
        OptimiserStep = 99,
        Units = new Dictionary<string, string> { ["layers.0"] = new('b', 64), ["embedding"] = new('a', 64), ["head"] = new('c', 64) },
        TokenizerHash = new('d', 64),
        DataKey = "sample-1",
    };

    [Fact]
    public void A_manifest_comes_back_from_the_store_as_it_was()
    {
        using var folder = new TemporaryFolder();
        var store = new ContentStore(folder.Path);
        var read = CheckpointManifest.Read(store, Example.Write(store));
        Assert.Equal(Example with { Units = read.Units }, read);
        Assert.Equal(Example.Units.OrderBy(u => u.Key), read.Units.OrderBy(u => u.Key));
    }

    [Fact]
    public void Equal_manifests_have_equal_json_whatever_the_order_of_their_units()
    {
        var other = Example with { Units = Example.Units.Reverse().ToDictionary() };
        Assert.Equal(Example.ToJson(), other.ToJson());
        Assert.NotEqual(Example.ToJson(), (Example with { Step = 101 }).ToJson());
        Assert.Contains("\"gaussian_kernel\"", Text());
    }

    [Theory]
    [InlineData("\"step\": 100,", "", "step")]
    [InlineData("\"step\": 100,", "\"step\": \"100\",", "step")]
    [InlineData("\"step\": 100,", "\"step\": 100, \"odd\": 1,", "odd")]
    [InlineData("\"step\": 100,", "\"step\": 100, \"step\": 101,", "step")]
    [InlineData("\"data_key\": \"sample-1\"", "\"data_key\": null", "data_key")]
    [InlineData("\"version\": 1", "\"version\": 2", "version 2")]
    [InlineData("\"gaussian_kernel\"", "\"gauss\"", "attention")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "x", "unit embedding")]
    [InlineData("\"sample-1\"\n}", "\"sample-1\"", "manifest")]
    public void Anything_but_a_manifest_is_refused_with_its_name(string old, string with, string expected)
    {
        Assert.Contains(old, Text());
        var json = Encoding.UTF8.GetBytes(Text().Replace(old, with));
        var message = Assert.Throws<RefusedException>(() => CheckpointManifest.Parse(json, "objects/xy")).Message;
        Assert.StartsWith("objects/xy", message);
        Assert.Contains(expected, message);
    }

    [Fact]
    public void The_recipe_hash_changes_with_every_part_of_the_recipe()
    {
        var recipe = new TrainOptions();
        Assert.Equal(CheckpointManifest.HashOf(recipe), CheckpointManifest.HashOf(new TrainOptions()));
        Assert.NotEqual(CheckpointManifest.HashOf(recipe), CheckpointManifest.HashOf(recipe with { BatchSize = 1 }));
        Assert.NotEqual(CheckpointManifest.HashOf(recipe), CheckpointManifest.HashOf(recipe with { Optim = new AdamWOptions { Eps = 1e-8 } }));
    }

    private static string Text() => Encoding.UTF8.GetString(Example.ToJson()).TrimEnd();
}
