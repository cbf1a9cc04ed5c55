using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.He.Scheme;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.Glue;
using ActorTrainer.Model.Tokenization;
using ActorTrainer.Tests.Configuration;
using Xunit;
using TemporaryFolder = ActorTrainer.Tests.Checkpoints.TemporaryFolder;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>The data owner's commands on a small model and the sample tasks, in this process.</summary>
public sealed class OwnerCommandsTests : IDisposable
{
    private static readonly KeyRequest[] Requests = [new(KeyRequest.Relinearisation, 3), new(5, 2)];

    private readonly TemporaryFolder _folder = new();
    private readonly List<EncryptedJob> _planned = [];
    private readonly CommandTable _table;

    public OwnerCommandsTests()
    {
        SampleGlue.Write(_folder["glue"], seed: 0);
        MakeModel("m", seed: 1);
        _table = new CommandTable(
        [
            new DelegateCommand(FineTuneDescriptions.Export, ExportCommand.Run),
            new DelegateCommand(EncryptedDescriptions.KeyGen, new KeyGenCommand(Plan, TimeProvider.System).Run),
            new DelegateCommand(EncryptedDescriptions.Encrypt, new EncryptCommand(_ => new EncryptionLevels(3, 2, 1), () => 5, TimeProvider.System).Run),
        ]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Exported_tasks_are_encrypted_with_keys_for_all_their_programs_and_the_owner_reads_them()
    {
        await Done("export", "eval.tasks=[stsb,sst2]", "eval.train_rows=40");
        Assert.Contains("2 evaluation keys", await Done("keygen", [.. Tasks, .. Toy]));
        Assert.Equal([("stsb", 1), ("sst2", 2)], _planned.Select(job => (job.Task.Name, job.Shape.Outputs)));

        var said = await Done("encrypt", [.. Tasks, .. Toy]);

        Assert.Contains("stsb train: 40 of 40 rows, 5 micro-batches of 8", said);
        Assert.Contains("sst2 dev: 160 of 160 rows, 20 micro-batches of 8", said);
        Assert.NotNull(EncryptedPlan.Find(_folder["out/m/keys/plans/sst2.json"], "sst2"));
        using var keys = OwnerKeys.Open(_folder["out/m/keys"], allowInsecure: true);
        Assert.Equal(["stsb", "sst2"], keys.Manifest.Purpose.Tasks);
        var data = EncryptedDataset.Open(EncryptedDataset.FolderOf(_folder["out/m/encrypted"], "stsb", "train"), keys.Context);
        var examples = OwnerExamples.Load(OwnerExamples.FileOf(_folder["out/m/keys/examples"], "stsb", "train"));
        Assert.Equal(5UL, examples.OrderSeed);
        var (inputs, targets) = data.Read(4);
        var labels = new Decryptor(keys.Context, keys.Secret).Slots(targets.Ciphertexts[0]);
        Assert.All(Enumerable.Range(0, 8), b => Assert.Equal(examples.Labels[32 + b], labels[b].Real, 1e-5));
        inputs.Dispose();
        targets.Dispose();

        // Again: what is finished is kept, whatever the seed.
        Assert.Contains("1 of them kept", await Done("encrypt", [.. Tasks, .. Toy]));
    }

    [Fact]
    public async Task What_does_not_belong_together_is_refused_before_anything_is_encrypted()
    {
        const string Task = "eval.tasks=[rte]";
        Assert.Contains("make them with keygen", await Refused("encrypt", [Task, .. Toy]));
        await Done("keygen", [Task, .. Toy]);
        Assert.Contains("never overwritten", await Refused("keygen", [Task, .. Toy]));
        Assert.Contains("export the data first", await Refused("encrypt", [Task, .. Toy]));
        Assert.Contains("found keys for PackingShape", await Refused("encrypt", [Task, .. Toy, "he.batch=4"]));
        Assert.Contains("expected keys of InsecureTestB16", await Refused("encrypt", [Task, .. Toy, "he.set=InsecureTestB16"]));
        Assert.Contains("do not fit", await Refused("encrypt", [Task, .. Toy, "he.batch=64", "he.tokens=64"]));
        MakeModel("other", seed: 2);
        var refused = await Refused("encrypt", [Task, .. Toy, $"eval.checkpoint={_folder["out/other/checkpoints/step-00000001"]}"]);
        Assert.Contains("Make keys for this model", refused);
        Assert.False(Directory.Exists(_folder["out/m/encrypted"]));
    }

    [Fact]
    public async Task A_plan_is_kept_beside_the_keys_and_made_anew_for_other_settings()
    {
        var jobs = new List<EncryptedJob>();
        var (code, _, error) = await KeyGen(
            job =>
            {
                jobs.Add(job);
                return EncryptedProgram.PlanOf(job);
            },
            "eval.pooler_rank=16", "eval.pooler_width=16");
        Assert.True(code == App.Done, error);
        var (job, plan) = (jobs.Single(), EncryptedProgram.PlanOf(jobs.Single()));
        Assert.Equal(["layers.0", "head"], plan.Units.Select(unit => unit.Name));
        var changed = plan with { Levels = new EncryptionLevels(9, 9, 9) };

        changed.Save(EncryptedFolders.Plan(job.Run, job.Task));

        Assert.Equal(changed.Levels, EncryptedProgram.PlanOf(job).Levels);
        var threads = job with { Run = job.Run with { He = job.Run.He with { Threads = 2, Cache = 7 } } };
        Assert.Equal(changed.Levels, EncryptedProgram.PlanOf(threads).Levels);
        var other = job with { Run = job.Run with { Eval = job.Run.Eval with { Optim = job.Run.Eval.Optim with { Eps = 0.02 } } } };
        Assert.Equal(plan.Levels, EncryptedProgram.PlanOf(other).Levels);
    }

    [Fact]
    public async Task A_head_of_which_some_ciphertexts_would_hold_nothing_gets_no_keys()
    {
        var (code, _, error) = await KeyGen(EncryptedProgram.PlanOf, "eval.pooler_rank=2", "eval.pooler_width=8");

        Assert.Equal(App.Refused, code);
        Assert.Contains("head cannot be made for 16 tokens of 8 examples: Some ciphertexts of head would hold nothing.", error);
        Assert.Contains("eval.pooler_rank", error);
        Assert.False(Directory.Exists(_folder["out/k/keys"]));
    }

    [Fact]
    public async Task What_is_exported_is_the_models_own_embedding()
    {
        await Done("export", "eval.tasks=[rte]", "eval.train_rows=4");

        using var source = ExportReader.Open(DataExport.FolderOf(_folder["out/m/export"], "rte", "train"));
        var arch = ModelConfigFile.Load(_folder["out/m/checkpoints/step-00000001/model_config.json"]);
        using var model = new BertForMlm(arch, seed: 1);
        Assert.Equal(DataExport.EmbeddingHash(model.Embedding), source.Manifest.EmbeddingSha256);
    }

    [Theory]
    [InlineData("he.refresh=bootstrap", "he.refresh=bootstrap needs a set with levels for bootstrapping")]
    [InlineData("he.refresh=mixed", "he.refresh=mixed needs a set with levels for bootstrapping")]
    [InlineData("he.twice=state", "the owner's refreshes lose nothing")]
    [InlineData("he.set=InsecureTestB16", "is not secure")]
    [InlineData("he=toy", "he.allow_insecure=true")]
    [InlineData("he.tokens=12", "he.tokens=12 must be a power of two, or 0")]
    [InlineData("he.batch=3", "he.batch=3 must be a power of two, or 0")]
    public void Settings_that_are_not_safe_or_not_there_are_refused_by_name(string word, string expected) => Assert.Contains(expected, Cfg.Refusal(word));

    /// <summary>A model of its own, of 768 in 12 heads on N = 2^15, and a small one.</summary>
    [Theory]
    [InlineData(768, 12, 128, 0, 0, 128, 1)]
    [InlineData(64, 4, 32, 0, 0, 32, 8)]
    [InlineData(64, 4, 30, 0, 0, 32, 8)]
    [InlineData(64, 4, 32, 16, 0, 16, 16)]
    [InlineData(64, 4, 32, 16, 4, 16, 4)]
    public void A_packing_that_is_left_open_takes_the_whole_sequence_and_fills_one_ciphertext(int hidden, int heads, int sequence, int tokens, int batch, int expectedTokens, int expectedBatch)
    {
        var options = new HeOptions { Tokens = tokens, Batch = batch };
        var arch = new BertConfig { Hidden = hidden, Heads = heads, Sequence = sequence };

        Assert.Equal(new PackingShape(expectedTokens, expectedBatch, heads, hidden / heads), PackingChoice.Of(options, arch, options.Parameters()));
    }

    [Fact]
    public void Every_example_of_the_owners_commands_resolves()
    {
        foreach (var description in new[] { EncryptedDescriptions.KeyGen, EncryptedDescriptions.Encrypt })
        {
            Assert.All(description.Examples, example => Assert.Equal("X", Cfg.Resolve(new Host.Configuration.ConfigProfile(description.Name, [], description.Accepts), example.Line.Split(' ')[1..]).Run.Name));
        }
    }

    [Fact]
    public void The_owners_folder_is_sent_to_no_node()
    {
        var sent = Host.Cluster.RunSettings.Write(Cfg.Resolve("he.keys=/home/owner/keys", "he.data=data"), "/home/me");

        Assert.DoesNotContain("/home/owner", sent);
        Assert.Contains("he.data=/home/me/data", sent);
    }

    private static string[] Tasks => ["eval.tasks=[stsb,sst2]"];

    private static string[] Toy => ["he=toy", "he.allow_insecure=true", "he.batch=8", "he.threads=1"];

    private EncryptedPlan Plan(EncryptedJob job)
    {
        _planned.Add(job);
        return new EncryptedPlan
        {
            Of = job.Task.Name,
            Levels = new EncryptionLevels(3, 2, 1),
            Units = [new UnitPlan("head", job.Task.Outputs == 1 ? Requests : [new(5, 3)], [], [], [], new Dictionary<string, int>())],
        };
    }

    /// <summary>The command on a model that can be trained under encryption, named k.</summary>
    private async Task<(int Code, string Out, string Error)> KeyGen(Func<EncryptedJob, EncryptedPlan> plan, params string[] words)
    {
        MakeModel("k", seed: 1, AttentionKind.GaussianKernel);
        using var made = new MadeTask(layers: 1, outputs: 2);
        var calibration = _folder["calibration.json"];
        await File.WriteAllTextAsync(calibration, made.Calibration.ToJson());
        return await Cfg.Run(
            new CommandTable([new DelegateCommand(EncryptedDescriptions.KeyGen, new KeyGenCommand(plan, TimeProvider.System).Run)]),
            ["keygen", "name=k", $"base_dir={_folder["out"]}", "eval=GLUE_lora", "eval.tasks=[rte]", $"eval.calibration={calibration}", "eval.optim.eps=0.01", .. words, .. Toy]);
    }

    private async Task<string> Done(string command, params string[] words)
    {
        var (code, output, error) = await Run(command, words);
        Assert.True(code == App.Done, error);
        return output;
    }

    private async Task<string> Refused(string command, string[] words)
    {
        var (code, _, error) = await Run(command, words);
        Assert.Equal(App.Refused, code);
        return error;
    }

    private Task<(int Code, string Out, string Error)> Run(string command, string[] words)
    {
        // A later word of a key stands for an earlier one here.
        var last = words.GroupBy(word => word[..word.IndexOf('=')]).Select(group => group.Last());
        string[] common = command == "export" ? [$"eval.path={_folder["glue"]}"] : [];
        return Cfg.Run(_table, [command, "name=m", $"base_dir={_folder["out"]}", .. common, .. last]);
    }

    private void MakeModel(string name, ulong seed, AttentionKind attention = AttentionKind.Softmax)
    {
        var text = File.ReadAllLines(Path.Combine(_folder["glue"], GlueTasks.Of(GlueTask.Sst2).Folder, "train.tsv"));
        var tokenizer = WordPieceTrainer.Train(text, new WordPieceTrainerOptions { VocabularySize = 120, Workers = 1 });
        var arch = new BertConfig { Layers = 1, Hidden = 16, Heads = 2, FeedForward = 32, Vocabulary = tokenizer.VocabularySize, Sequence = 16, FusedQkv = false, Attention = attention, Activation = GateActivation.Relu };
        using var model = new BertForMlm(arch, seed);
        CheckpointFolder.Write(_folder[Path.Combine("out", name)], 1, folder =>
        {
            StateDict.SaveModel(folder, arch, model.Parameters);
            TokenizerFile.SaveJson(tokenizer, Path.Combine(folder, CheckpointFolder.TokenizerFile));
        });
    }
}
