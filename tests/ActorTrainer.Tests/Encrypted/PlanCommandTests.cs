using System.Text.Json;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Encrypted.Planning;
using ActorTrainer.Tests.Configuration;
using Xunit;
using TemporaryFolder = ActorTrainer.Tests.Checkpoints.TemporaryFolder;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>The command on a small shape with made costs, in this process.</summary>
public sealed class PlanCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly CommandTable _table;
    private int _measured;

    public PlanCommandTests() => _table = new CommandTable([new DelegateCommand(PlanDescription.Plan, new PlanCommand(
        (parameters, threads) =>
        {
            _measured++;
            return new PlanCosts(MadeProgram.Costs with { Set = parameters.Name, Parallelism = threads }, 0.001, 0.01, parameters.MaxLevel, DateTimeOffset.UnixEpoch);
        },
        TimeProvider.System).Run)]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_shape_is_planned_without_weights_and_told_in_tables_a_picture_and_figures()
    {
        var said = await Done("nodes=1,2,8", "cores=2", "pipeline.stages=2");

        Assert.Contains("plan of m, rte: 2 layers of 16, 2 heads, feed-forward 32, 2 outputs", said);
        Assert.Contains("made weights without zeros; published domains of functions", said);
        Assert.Contains("costs with 1 threads, measured 1970-01-01 00:00", said);
        Assert.Contains("nodes of 2 cores (times of 1 threads divided in proportion, not measured)", said);
        Assert.Contains("5 of 8 nodes would be idle: the model has 3 encrypted units.", said);
        foreach (var block in new[] { "norm1", "qkv, adapters", "attention", "dense", "norm2", "ffn", "pooler, head", "loss", "optimiser" })
        {
            Assert.Contains($" {block} ", said);
        }

        using var figures = JsonDocument.Parse(await File.ReadAllTextAsync(_folder["out/m/plan/plan.json"]));
        var root = figures.RootElement;
        Assert.Equal([1, 2, 8], root.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("nodes").GetInt32()));
        Assert.Equal(2, root.GetProperty("cut").GetProperty("stages").GetArrayLength());
        Assert.Contains($"a step of the model: {root.GetProperty("refreshes").GetInt64():N0} refreshes, {root.GetProperty("operations").GetProperty("Add").GetInt64():N0} Add", said);
        Assert.Contains($"all {root.GetProperty("keys").GetArrayLength()} keys: ", said);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], (await File.ReadAllBytesAsync(_folder["out/m/plan/plan.png"]))[..4]);
    }

    [Fact]
    public async Task Costs_are_measured_once_and_kept_and_those_of_another_set_are_refused()
    {
        await Done();
        await Done();
        Assert.Equal(1, _measured);

        await Done("he.threads=2");
        Assert.Equal(2, _measured);

        await Done($"costs={_folder["named.json"]}");
        await Done($"costs={_folder["named.json"]}", "he.threads=2");
        Assert.Equal(3, _measured);

        await File.WriteAllTextAsync(_folder["named.json"], (await File.ReadAllTextAsync(_folder["named.json"])).Replace("InsecureTestL15", "L15", StringComparison.Ordinal));
        Assert.Contains("costs of L15, but he.set is InsecureTestL15", await Refused($"costs={_folder["named.json"]}"));
        await File.WriteAllTextAsync(_folder["named.json"], "{}");
        Assert.Contains("no table of measured costs", await Refused($"costs={_folder["named.json"]}"));
    }

    [Fact]
    public async Task What_cannot_be_planned_is_refused_by_name()
    {
        Assert.Contains("nodes=1,x: expected numbers of nodes from 1 to 4096", await Refused("nodes=1,x"));
        Assert.Contains("cores=0: expected a whole number above 0.", await Refused("cores=0"));
        Assert.Contains("pipeline.stages=4 times pipeline.chunks=1 is 4 parts, but an encrypted model has 3 units (2 layers and the head; the owner embeds)", await Refused("pipeline.stages=4"));
        Assert.Contains("pipeline.cut=[2, 2] covers 4 units, but the model has 3 (2 layers and the head; the owner embeds)", await Refused("pipeline.stages=2", "pipeline.cut=[2,2]"));
        Assert.Contains("eval.batch_size=6 is no multiple of the 4 examples", await Refused("eval.batch_size=6"));
        Assert.Contains("arch.attention must be gaussian-kernel", await Refused("arch.attention=softmax"));
        var (code, _, error) = await Cfg.Run(_table, ["plan", "name=nobody", $"base_dir={_folder["out"]}", "he=toy", "he.allow_insecure=true"]);
        Assert.Equal(App.Refused, code);
        Assert.Contains("To plan a model that is not there yet, name its shape", error);
        Assert.Equal(0, _measured);
        Assert.Contains("head cannot be made for 8 tokens of 4 examples", await Refused("eval.pooler_rank=2", "eval.pooler_width=8"));
    }

    [Fact]
    public void Every_example_of_the_command_resolves() => Assert.All(PlanDescription.Plan.Examples, example => Assert.Equal(
        "X", Cfg.Resolve(new Host.Configuration.ConfigProfile("plan", PlanDescription.Plan.Defaults, PlanDescription.Plan.Accepts), [.. example.Line.Split(' ')[1..].Where(word => !word.StartsWith("nodes=", StringComparison.Ordinal))]).Run.Name));

    private async Task<string> Done(params string[] words)
    {
        var (code, output, error) = await Run(words);
        Assert.True(code == App.Done, error);
        return output;
    }

    private async Task<string> Refused(params string[] words)
    {
        var (code, _, error) = await Run(words);
        Assert.Equal(App.Refused, code);
        return error;
    }

    private Task<(int Code, string Out, string Error)> Run(string[] words)
    {
        string[] shape =
        [
            "name=m", $"base_dir={_folder["out"]}", "arch=tiny", "arch.hidden=16", "arch.heads=2", "arch.feed_forward=32", "arch.sequence=8", "he=toy", "he.allow_insecure=true", "he.tokens=8", "he.batch=4", "he.threads=1",
            "eval.pooler_rank=8", "eval.pooler_width=40",
        ];
        var last = shape.Concat(words).GroupBy(word => word[..word.IndexOf('=')]).Select(group => group.Last());
        return Cfg.Run(_table, ["plan", .. last]);
    }
}
