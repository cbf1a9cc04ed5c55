using System.Text.Json;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.Configuration;

public class AppTests
{
    [Fact]
    public async Task A_command_gets_its_configuration_arguments_and_options()
    {
        Assert.Equal((0, "test  ", ""), await Cfg.Run("pretrain", "name=test", "arch=crammed-bert", "train=bert-o4", "data=pile-readymade"));
        Assert.Equal((0, "run train notes.json", ""), await Cfg.Run("tokenizer", "train", "data.path=notes", "arch.vocabulary=8192", "out=notes.json"));
        Assert.Equal((0, "run a b ", ""), await Cfg.Run("compare-runs", "a", "b", "base_dir=elsewhere"));
        Assert.Equal((0, "dev  ", ""), await Cfg.Run("dev"));
    }

    [Theory]
    [InlineData("pretran", "actortrainer: pretran: there is no command pretran; did you mean pretrain? Commands: dev, pretrain, compare-runs, tokenizer, config, version, help")]
    [InlineData("pretrain arhc=tiny", "actortrainer: arhc=tiny: there is no key arhc; did you mean arch?")]
    [InlineData("pretrain --confg-dir x", "actortrainer: --confg-dir: there is no option --confg-dir; did you mean --config-dir?")]
    [InlineData("pretrain --config-dir", "actortrainer: --config-dir needs a value: --config-dir DIR.")]
    [InlineData("pretrain --trace=1", "actortrainer: --trace takes no value, found '1'.")]
    [InlineData("pretrain --trace --trace", "actortrainer: --trace is given twice; keep one.")]
    [InlineData("pretrain --config-dir nowhere-at-all", "actortrainer: --config-dir nowhere-at-all: expected a folder with a subfolder per group (arch, train, data, pipeline, eval, he, impl, cluster), found no such folder.")]
    [InlineData("name=x pretrain", "actortrainer: name=x: a setting comes after the command, as in 'actortrainer pretrain name=x'.")]
    [InlineData("pretrain name", "actortrainer: name has no value; write name=…, without spaces around the sign.")]
    [InlineData("pretrain lr", "actortrainer: lr: pretrain takes no such word. Did you mean train.optim.lr=… or eval.optim.lr=…? Usage: actortrainer pretrain [group=choice …] [key=value …] [option …]")]
    [InlineData("compare-runs a", "actortrainer: compare-runs: B is missing: the other run. Usage: actortrainer compare-runs A B [key=value …] [option …]")]
    [InlineData("version seed=1", "actortrainer: seed=1: version takes no settings.")]
    [InlineData("help pretran", "actortrainer: pretran: there is no help on pretran; did you mean pretrain?")]
    [InlineData("help dev pretrain", "actortrainer: pretrain: help takes no such word.")]
    [InlineData("config version", "actortrainer: version has no configuration. Commands that have: dev, pretrain, compare-runs, tokenizer")]
    [InlineData("tokenizer train out=", "actortrainer: out needs a value: out=FILE.")]
    public async Task Refused_words_end_with_2_and_say_why_without_a_stack_trace(string words, string message)
    {
        var (code, output, error) = await Cfg.Run(words.Split(' '));
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith(message, error);
        Assert.DoesNotContain("   at ", error);
        Assert.Contains("Help: actortrainer help", error);
    }

    [Fact]
    public async Task A_failure_ends_with_1_and_tells_its_messages()
    {
        static Task<int> Fail(CommandContext context, CancellationToken cancellation) =>
            throw new InvalidOperationException("stage 1 stopped", new IOException("disk full"));
        var (code, _, error) = await Cfg.Run(Cfg.Table(Fail), "dev");
        Assert.Equal((1, "actortrainer: dev failed: stage 1 stopped / disk full\nWhere it arose: run it again with --trace.\n"), (code, error));
        (code, _, error) = await Cfg.Run(Cfg.Table(Fail), "dev", "--trace");
        Assert.Equal(1, code);
        Assert.Contains("   at ActorTrainer.Tests", error);
    }

    [Fact]
    public async Task A_commands_own_exit_code_and_refusal_are_kept()
    {
        Assert.Equal(1, (await Cfg.Run(Cfg.Table((_, _) => Task.FromResult(1)), "compare-runs", "a", "b")).Code);
        var (code, _, error) = await Cfg.Run(Cfg.Table((_, _) => throw new RefusedException("a.txt: empty corpus")), "dev");
        Assert.Equal((2, "actortrainer: a.txt: empty corpus\nHelp: actortrainer help dev\n"), (code, error));
    }

    [Fact]
    public async Task An_interrupted_command_ends_with_1()
    {
        using var interrupt = new CancellationTokenSource();
        var table = Cfg.Table((_, cancellation) =>
        {
            interrupt.Cancel();
            cancellation.ThrowIfCancellationRequested();
            return Task.FromResult(0);
        });
        var error = new StringWriter();
        Assert.Equal(1, await App.Run(["dev"], table, new StringWriter(), error, interrupt.Token));
        Assert.Equal("actortrainer: dev was interrupted before it was done.\n", error.ToString());
    }

    [Fact]
    public async Task Nothing_starts_when_a_setting_is_refused()
    {
        var started = false;
        var table = Cfg.Table((_, _) =>
        {
            started = true;
            return Task.FromResult(0);
        });
        Assert.Equal(2, (await Cfg.Run(table, "dev", "train.clip=-1")).Code);
        Assert.False(started);
    }

    [Fact]
    public async Task Config_shows_every_value_with_its_origin_in_one_column()
    {
        var (code, output, _) = await Cfg.Run("config", "dev", "arch=tiny", "train.optim.lr=0.5", "data.path=my texts");
        Assert.Equal(0, code);
        var lines = output.Split('\n');
        Assert.Equal("# actortrainer dev: run folder outputs/dev", lines[0]);
        Assert.Equal("# 115,457 parameters in 4 units (embedding, 2 layers, head) over 2 stages", lines[1]);
        Assert.Matches(@"\Aname = dev +# dev defaults\z", lines[2]);
        Assert.Single(lines, line => System.Text.RegularExpressions.Regex.IsMatch(line, @"\A    lr = 0.5 +# command line\z"));
        Assert.Single(lines, line => System.Text.RegularExpressions.Regex.IsMatch(line, @"\A  hidden = 64 +# arch=tiny\z"));
        Assert.Single(lines, line => System.Text.RegularExpressions.Regex.IsMatch(line, @"\A  source = text +# from data.path\z"));
        var columns = lines.Skip(2).Where(line => line.Contains(" = ", StringComparison.Ordinal)).Select(line => line.IndexOf('#')).Distinct();
        Assert.Single(columns);
    }

    [Fact]
    public void The_printed_configuration_reads_back_as_the_same_values()
    {
        var resolved = Cfg.Resolve("arch=small", "data.path=a \"b\"\\c//d", "pipeline.cut=[2,2]", "train.optim.eps=1e-9");
        var back = HoconFile.Parse("printed", ConfigPrinter.Print(resolved)).Entries;
        Assert.Equal(resolved.Values.Select(value => value.Key.Name), back.Select(entry => entry.Key));
        foreach (var (value, entry) in resolved.Values.Zip(back))
        {
            Assert.Null(value.Key.Type.Parse(entry.Text, out var read));
            Assert.Equal(value.Value, read);
        }
    }

    [Fact]
    public async Task Config_writes_json_for_programs()
    {
        var (_, output, _) = await Cfg.Run("config", "train=dev", "--json");
        using var json = JsonDocument.Parse(output);
        Assert.Equal(ConfigSchema.Keys.Count, json.RootElement.EnumerateObject().Count());
        Assert.Equal(16, json.RootElement.GetProperty("train.batch_size").GetProperty("value").GetInt32());
        Assert.Equal("train=dev", json.RootElement.GetProperty("train.batch_size").GetProperty("origin").GetString());
        Assert.Equal("steps", json.RootElement.GetProperty("train.budget.unit").GetProperty("value").GetString());
        Assert.Equal(JsonValueKind.Array, json.RootElement.GetProperty("pipeline.cut").GetProperty("value").ValueKind);
    }

    [Theory]
    [InlineData("dev")]
    [InlineData("pretrain")]
    [InlineData("compare-runs")]
    [InlineData("tokenizer")]
    [InlineData("config")]
    [InlineData("version")]
    public async Task Every_command_has_help_by_each_way_of_asking(string command)
    {
        var (code, page, error) = await Cfg.Run("help", command);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(page, (await Cfg.Run(command, "--help")).Out);
        Assert.Equal(page, (await Cfg.Run(command, "-h")).Out);
        Assert.StartsWith($"actortrainer {command}: ", page);
        foreach (var section in new[] { $"\nUsage: actortrainer {command} ", "\nExamples:\n", "\nOptions:\n", "\nExit codes:\n" })
        {
            Assert.Contains(section, page);
        }

        Assert.All(page.Split('\n'), line => Assert.True(line.Length <= 130 && line == line.TrimEnd(), line));
    }

    [Fact]
    public async Task Help_lists_choices_with_what_they_are_and_keys_with_their_defaults()
    {
        var page = (await Cfg.Run("help", "pretrain")).Out;
        foreach (var group in ConfigSchema.Groups)
        {
            Assert.Contains($"\n{group}=\n", page);
        }

        Assert.Contains("\n  crammed-bert         crammed BERT, 16 layers of 768", page);
        Assert.Matches(@"\n  train\.optim\.lr +Peak learning rate \(0\.001\)\n", page);
        Assert.Contains("Starts from: arch=dev train=dev data=sample pipeline=two eval=dev he=dev impl=dev name=dev", (await Cfg.Run("help", "dev")).Out);
        Assert.Contains("1  the runs differ", (await Cfg.Run("help", "compare-runs")).Out);
        Assert.DoesNotContain("arch=", (await Cfg.Run("help", "compare-runs")).Out);
    }

    [Fact]
    public async Task The_examples_of_the_help_are_valid_commands()
    {
        foreach (var example in Cfg.Table().Commands.SelectMany(command => command.Description.Examples))
        {
            var (code, _, error) = await Cfg.Run(example.Line.Split(' '));
            Assert.Equal((0, ""), (code, error));
        }
    }

    [Fact]
    public async Task Help_without_a_topic_lists_the_commands_and_help_keys_all_keys()
    {
        var overview = (await Cfg.Run("help")).Out;
        Assert.Equal(overview, (await Cfg.Run("--help")).Out);
        Assert.Equal(overview, (await Cfg.Run()).Out);
        Assert.All(Cfg.Table().Names, name => Assert.Contains($"\n  {name} ", overview));
        var keys = (await Cfg.Run("help", "keys")).Out;
        Assert.All(ConfigSchema.Keys, key => Assert.Contains($"\n  {key.Name} = ", keys));
        Assert.Contains("\n  pipeline.cut = []\n", (await Cfg.Run("help", "pipeline")).Out);
    }

    [Fact]
    public async Task Version_names_the_program_and_its_libraries()
    {
        var (code, output, _) = await Cfg.Run("--version");
        Assert.Equal(0, code);
        Assert.Equal(output, (await Cfg.Run("version")).Out);
        Assert.Matches(@"\Aactortrainer \d+\.\d+\.\d+", output);
        Assert.Contains("TorchSharp 0.", output);
        Assert.Contains("Akka.NET   1.", output);
    }

    [Fact]
    public void Registered_commands_have_names_of_their_own() =>
        Assert.Equal(Host.Program.Commands.Names.Distinct().Count(), Host.Program.Commands.Commands.Count);
}
