using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;
using ActorTrainer.Tests.Configuration;
using Xunit;

namespace ActorTrainer.Tests.ClusterHost;

public sealed class RunSettingsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Settings_come_back_as_the_same_configuration()
    {
        var sent = Cfg.Resolve(
            "name=r", "arch=tiny", "data=text", "data.path=/some where/a \"b\".txt", "data.cache=/c", "base_dir=/o", "pipeline.cut=[1,3]", "seed=18446744073709551615",
            "train.optim.eps=1e-9", "impl=deterministic");
        var read = RunSettings.Read(ConfigLibrary.Open(), RunSettings.Write(sent, "/elsewhere"));

        Assert.Equal(sent.Values.Select(value => (value.Key.Name, value.Text)), read.Values.Select(value => (value.Key.Name, value.Text)));
        Assert.Equal((sent.Run.Arch, sent.Run.Train, sent.Run.Data), (read.Run.Arch, read.Run.Train, read.Run.Data));
    }

    [Fact]
    public void Relative_paths_become_those_of_the_clients_folder_and_empty_ones_stay_empty()
    {
        var read = RunSettings.Read(ConfigLibrary.Open(), RunSettings.Write(Cfg.Resolve("data=text", "data.path=texts/a-*.txt"), "/home/me")).Run;
        Assert.Equal(("/home/me/texts/a-*.txt", "", "/home/me/outputs/data", "/home/me/outputs"), (read.Data.Path, read.Data.ValidPath, read.Data.Cache, read.BaseDir));
    }

    [Fact]
    public void Settings_of_a_fine_tuning_name_task_repeat_and_the_model_that_is_meant()
    {
        var sent = Cfg.Resolve("name=r", "eval.path=glue", "eval.calibration=ranges.json", "eval.label=mine");
        var job = new FineTuneJob(GlueTasks.Parse("rte"), 3, ArchGiven: true);
        var text = RunSettings.Write(job, sent, "runs/r/checkpoints/step-1", "/home/me");
        var read = RunSettings.Read(ConfigLibrary.Open(), text).Run;

        Assert.Equal(job, FineTuneJob.Of(text));
        Assert.Equal("r-mine-rte-3", job.NameOf(read));
        Assert.Equal(
            ("/home/me/glue", "/home/me/runs/r/checkpoints/step-1", "/home/me/ranges.json", ""), (read.Eval.Path, read.Eval.Checkpoint, read.Eval.Calibration, read.Eval.Tokenizer));
        Assert.Equal("latest", RunSettings.Read(ConfigLibrary.Open(), RunSettings.Write(sent, "/")).Run.Eval.Checkpoint);
        Assert.Null(FineTuneJob.Of(RunSettings.Write(sent, "/")));
        Assert.Contains("same version", Assert.Throws<RefusedException>(() => FineTuneJob.Of("# finetune rte\nname=r")).Message);
        Assert.Contains("shorten name", Assert.Throws<RefusedException>(() => job.NameOf(read with { Name = new string('n', 95) })).Message);
    }

    [Fact]
    public void Settings_of_an_encrypted_fine_tuning_name_task_and_steps_and_not_the_owners_keys()
    {
        var sent = Cfg.Resolve("name=r", "he.keys=/home/me/secret", "he.data=shared", "he.owner=127.0.0.1:4300");
        var job = new EncryptedFineTuneJob(GlueTasks.Parse("rte"), 12, ArchGiven: false);
        var text = RunSettings.Write(job, sent, "runs/r/checkpoints/step-1", "/home/me");
        var read = RunSettings.Read(ConfigLibrary.Open(), text).Run;

        Assert.Equal(job, EncryptedFineTuneJob.Of(text));
        Assert.Equal("r-encrypted-rte", job.NameOf(read));
        Assert.Equal(("", "/home/me/shared", "127.0.0.1:4300", "/home/me/runs/r/checkpoints/step-1"), (read.He.Keys, read.He.Data, read.He.Owner, read.Eval.Checkpoint));
        Assert.DoesNotContain("secret", text);
        Assert.Null(EncryptedFineTuneJob.Of(RunSettings.Write(new FineTuneJob(job.Task, 1, ArchGiven: false), sent, "m", "/")));
        Assert.Null(EncryptedFineTuneJob.Of(RunSettings.Write(sent, "/")));
        Assert.Contains("shorten name", Assert.Throws<RefusedException>(() => job.NameOf(read with { Name = new string('n', 90) })).Message);
    }

    [Fact]
    public void Nothing_of_the_section_cluster_is_sent()
    {
        var text = RunSettings.Write(Cfg.Resolve("cluster=local", "cluster.journal_connection=Password=geheim"), "/");
        Assert.DoesNotContain("cluster", text);
        Assert.DoesNotContain("geheim", text);
    }

    [Fact]
    public void Settings_of_another_version_are_refused_by_name() => Assert.Contains(
        "there is no key train.future", Assert.Throws<RefusedException>(() => RunSettings.Read(ConfigLibrary.Open(), "name=r\ntrain.future=1")).Message);

    [Fact]
    public async Task A_secret_is_printed_as_set_and_its_value_nowhere()
    {
        const string Secret = "cluster.journal_connection=Host=db;Password=geheim";
        foreach (var words in new string[][] { ["config", Secret], ["config", Secret, "--json"], ["config", Secret, Secret], ["config", Secret + "\n"], ["compare-runs", "a", "b", Secret] })
        {
            var (_, output, error) = await Cfg.Run(words);
            Assert.DoesNotContain("geheim", output + error);
        }

        Assert.DoesNotContain("geheim", Cfg.Resolve(Secret).Run.ToString());
        Assert.Contains("journal_connection = \"(set, not shown)\"", (await Cfg.Run("config", Secret)).Out);
        Assert.Contains("journal_connection = \"\"", (await Cfg.Run("config")).Out);
    }

    [Fact]
    public void A_run_is_prepared_from_settings_in_a_folder_of_the_node_apart_from_the_clients()
    {
        var said = new List<string>();
        var resolved = Cfg.Resolve(
            "name=r", "arch=tiny", "train=dev", "data=sample", "impl=dev", "data.sample_megabytes=0.5", $"data.cache={_folder.FullName}/cache", $"base_dir={_folder.FullName}/client");
        using var contexts = new CkksContexts();
        var preparation = new ClusterPreparation(ConfigLibrary.Open(), Path.Combine(_folder.FullName, "node"), contexts, said.Add);
        var notices = new List<string>();
        using (var run = preparation.Prepare("r", RunSettings.Write(resolved, "/"), notices.Add, CancellationToken.None))
        {
            Assert.Equal(Path.Combine(_folder.FullName, "node", "runs", "r"), run.Options.Folder);
            Assert.Equal(4, run.Units.Count);
            Assert.Equal((4, 4), (run.UnitSeconds.Count, run.UnitMemory.Count));
            Assert.All(run.UnitSeconds, seconds => Assert.True(seconds > 0));
            Assert.All(run.UnitMemory, unit => Assert.True(unit.Fixed > 0 && unit.Activation > 0));
            Assert.Contains("impl.device=cpu", run.Recipe);
            var manifest = run.Describe(new RunPosition(3, 48, 1.5, 1), new Dictionary<string, string> { ["head"] = new('a', 64) });
            Assert.Equal(("r", 3L, 2L), (manifest.Run, manifest.Step, manifest.OptimiserStep));
            Assert.Contains(notices, notice => notice.StartsWith("data: ", StringComparison.Ordinal));
            Assert.Throws<RefusedException>(() => preparation.Prepare("r", RunSettings.Write(resolved, "/"), _ => { }, CancellationToken.None));
            run.Observer.OnAttempt(1, 0);
            Assert.Contains("r: attempt 1 begins after step 0", said);
        }

        Assert.True(File.Exists(Path.Combine(_folder.FullName, "node", "runs", "r", "config.conf")));
        Assert.False(Directory.Exists(Path.Combine(_folder.FullName, "client")));
        using var again = preparation.Prepare("r", RunSettings.Write(resolved, "/"), notices.Add, CancellationToken.None);
    }

    [Fact]
    public void Settings_of_another_run_are_refused() => Assert.Contains(
        "submit it again",
        Assert.Throws<RefusedException>(() => new ClusterPreparation(ConfigLibrary.Open(), _folder.FullName, new CkksContexts(), _ => { })
            .Prepare("other", RunSettings.Write(Cfg.Resolve("name=r"), "/"), _ => { }, CancellationToken.None)).Message);

    [Fact]
    public void Every_command_of_the_cluster_has_examples_that_resolve()
    {
        foreach (var description in new[] { ClusterCommandDescriptions.Node, ClusterCommandDescriptions.Status, ClusterCommandDescriptions.Stop })
        {
            foreach (var example in description.Examples)
            {
                var words = example.Line.Split(' ')[1..].Where(word => !word.StartsWith("role=", StringComparison.Ordinal)).ToArray();
                Assert.NotEmpty(Cfg.Resolve(new ConfigProfile(description.Name, description.Defaults, description.Accepts), words).Run.Cluster.Seeds);
            }
        }
    }
}
