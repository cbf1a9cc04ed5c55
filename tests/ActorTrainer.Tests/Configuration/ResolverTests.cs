using ActorTrainer.Actors.Schedules;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Optimisation;
using Xunit;

namespace ActorTrainer.Tests.Configuration;

public class ResolverTests
{
    private static readonly ConfigProfile Dev = new("dev", CommandDescriptions.Dev.Defaults);

    [Fact]
    public void The_published_command_resolves_to_the_published_recipe()
    {
        var run = Cfg.Resolve("name=test", "arch=crammed-bert", "train=bert-o4", "data=pile-readymade").Run;
        Assert.Equal(Path.Combine("outputs", "test"), run.RunFolder);
        Assert.Equal(new BertConfig { Layers = 16, Hidden = 768, Heads = 12, FeedForward = 3072, Vocabulary = 32768, Sequence = 128, Attention = AttentionKind.Softmax, Activation = GateActivation.Gelu, FusedQkv = true, Dropout = 0, LayerNormEps = 1e-12, InitStd = 0.02 }, run.Arch);
        Assert.Equal(new AdamWOptions { LearningRate = 1e-3, Beta1 = 0.9, Beta2 = 0.98, Eps = 1e-12, WeightDecay = 0.01, EpsInsideRoot = false }, run.Train.Optim);
        Assert.Equal(
            (0.5, 0.25, LearningRateSchedule.BudgetTriangle2, 8192, 0.6, BudgetUnit.Steps),
            (run.Train.Clip, run.Train.MlmProbability, run.Train.Schedule, run.Train.BatchSize, run.Train.BatchRamp, run.Train.BudgetUnit));
        Assert.Equal((DataSourceKind.Parquet, 32768, 128), (run.Data.Source, run.Data.Vocabulary, run.Data.Sequence));
        Assert.Equal(128, run.Impl.MicroBatchSize);
    }

    [Fact]
    public void The_originals_way_to_set_the_micro_batch_works() =>
        Assert.Equal(16, Cfg.Resolve("name=test", "impl.microbatch_size=16").Run.Impl.MicroBatchSize);

    [Fact]
    public void Later_layers_win_whatever_the_order_of_the_words()
    {
        foreach (var words in new string[][] { ["arch=tiny", "arch.layers=5"], ["arch.layers=5", "arch=tiny"] })
        {
            var resolved = Cfg.Resolve(Dev, words);
            Assert.Equal((5, 64), (resolved.Run.Arch.Layers, resolved.Run.Arch.Hidden));
            Assert.Equal("command line", resolved.Origin("arch.layers"));
            Assert.Equal("arch=tiny", resolved.Origin("arch.hidden"));
            Assert.Equal("reference.conf", resolved.Origin("arch.init_std"));
            Assert.Equal("dev defaults (train=dev)", resolved.Origin("train.batch_size"));
            Assert.Equal("dev defaults", resolved.Origin("name"));
        }
    }

    [Fact]
    public void A_users_group_replaces_the_commands_one_altogether() =>
        Assert.Equal("reference.conf", Cfg.Resolve(Dev, "train=dev", "impl=default", "impl.microbatch_size=8").Origin("impl.digest_every"));

    [Fact]
    public void Dev_is_a_small_encryption_friendly_model_over_two_stages()
    {
        var run = Cfg.Resolve(Dev).Run;
        Assert.Equal("dev", run.Name);
        Assert.Equal(DataSourceKind.Sample, run.Data.Source);
        Assert.Equal(new BertConfig { Layers = 2, Hidden = 128, Heads = 4, FeedForward = 512, Vocabulary = 2048, Attention = AttentionKind.GaussianKernel, Activation = GateActivation.Relu, FusedQkv = false, InitStd = 0.05, PositionScale = 0.1, LearnPositionScale = false }, run.Arch);
        Assert.Equal((2, ScheduleKind.OneForwardOneBackward), (run.Pipeline.Stages, run.Pipeline.Schedule));
        Assert.Equal((2048, 128), (run.Data.Vocabulary, run.Data.Sequence));
    }

    [Fact]
    public void An_explicit_cut_is_read() => Assert.Equal([1, 3], Cfg.Resolve("arch=tiny", "pipeline=two", "pipeline.cut=[1,3]").Run.Pipeline.Cut);

    [Fact]
    public void The_seed_may_be_any_unsigned_number() => Assert.Equal(ulong.MaxValue, Cfg.Resolve("seed=18446744073709551615").Run.Seed);

    [Theory]
    [InlineData("notes.txt", DataSourceKind.Text)]
    [InlineData("notes", DataSourceKind.Text)]
    [InlineData("lines.JSONL", DataSourceKind.Jsonl)]
    [InlineData("shard.parquet", DataSourceKind.Parquet)]
    public void A_data_path_alone_decides_the_source(string path, DataSourceKind source)
    {
        var resolved = Cfg.Resolve(Dev, "data.path=" + path);
        Assert.Equal(source, resolved.Run.Data.Source);
        Assert.Equal("from data.path", resolved.Origin("data.source"));
    }

    [Fact]
    public void A_folders_files_decide_the_source()
    {
        var folder = Directory.CreateTempSubdirectory();
        File.WriteAllText(Path.Combine(folder.FullName, "a.jsonl"), "{}");
        Assert.Equal(DataSourceKind.Jsonl, Cfg.Resolve("data.path=" + folder.FullName).Run.Data.Source);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void A_chosen_source_stands_whatever_the_path() =>
        Assert.Equal(DataSourceKind.Text, Cfg.Resolve("data=text", "data.path=strange.jsonl").Run.Data.Source);

    [Theory]
    [InlineData("arch=cramed-bert", "arch=cramed-bert: there is no choice cramed-bert of arch; did you mean arch=crammed-bert? Choices: crammed-bert, dev, encryption-friendly, small, tiny, wiki")]
    [InlineData("pipeline=zzzzzz", "pipeline=zzzzzz: there is no choice zzzzzz of pipeline. Choices: four, gpipe, interleaved, single, two")]
    [InlineData("lr=1e-3", "lr=1e-3: there is no key lr; did you mean train.optim.lr or eval.optim.lr? Groups: arch, train, data, pipeline, eval, he, impl, cluster; keys outside them: name, base_dir, seed")]
    [InlineData("train.lr=1e-3", "train.lr=1e-3: there is no key train.lr; did you mean train.optim.lr?*")]
    [InlineData("schedule=1f1b", "schedule=1f1b: there is no key schedule; did you mean train.schedule or pipeline.schedule or eval.schedule?*")]
    [InlineData("arhc=tiny", "arhc=tiny: there is no key arhc; did you mean arch?*")]
    [InlineData("sed=1", "sed=1: there is no key sed; did you mean seed or he.set?*")]
    [InlineData("impl.micro_batch_size=4", "impl.micro_batch_size=4: there is no key impl.micro_batch_size; did you mean impl.microbatch_size? Keys of impl: device, precision,*")]
    [InlineData("train.optim=adam", "train.optim=adam: train.optim is a section, its keys are train.optim.lr, train.optim.beta1,*")]
    [InlineData("wandb.project=x", "wandb.project=x: there is no key wandb.project. Groups: arch,*")]
    [InlineData("arch.attention=gausian-kernel", "arch.attention=gausian-kernel: the value is not one of the choices; did you mean gaussian-kernel? Allowed: softmax, gaussian-kernel (default softmax)")]
    [InlineData("arch.fused_qkv=treu", "arch.fused_qkv=treu: the value is neither true nor false; did you mean true? Allowed: true or false (default true)")]
    [InlineData("train.batch_size=0", "train.batch_size=0: the value is out of range; allowed: whole number, 1 to 1048576 (default 8192)")]
    [InlineData("train.optim.lr=fast", "train.optim.lr=fast: the value is not a finite number; allowed: number, 0 to 10 (default 1e-3)")]
    [InlineData("name=a/b", "name=a/b: the value is not allowed; allowed: letters, digits,*")]
    public void A_wrong_word_is_refused_with_the_allowed_ones_and_the_nearest(string word, string message)
    {
        var refusal = Cfg.Refusal(word);
        if (message.EndsWith('*'))
        {
            Assert.StartsWith(message[..^1], refusal);
        }
        else
        {
            Assert.Equal(message, refusal);
        }
    }

    [Theory]
    [InlineData("train.optim.lr=1;train.optim.lr=2", "train.optim.lr is given twice, as train.optim.lr=1 and as train.optim.lr=2; keep one of them.")]
    [InlineData("arch=tiny;arch=small", "arch is given twice, as arch=tiny and as arch=small; keep one of them.")]
    [InlineData("arch=tiny;arch.heads=5", "arch.hidden=64 must be a multiple of arch.heads=5: each head takes an equal share of the hidden state.")]
    [InlineData("arch=tiny;pipeline.stages=5", "pipeline.stages=5 times pipeline.chunks=1 is 5 parts, but the model has only 4 units (2 layers, embedding, head), and no part may be empty.")]
    [InlineData("pipeline.chunks=2", "pipeline.chunks=2 needs pipeline.schedule=interleaved; gpipe and 1f1b hold one part a stage.")]
    [InlineData("pipeline.schedule=interleaved", "pipeline.schedule=interleaved needs pipeline.chunks of 2 or more; with one part a stage, pipeline.schedule=1f1b is the same.")]
    [InlineData("arch=tiny;pipeline.cut=[2,3]", "pipeline.cut=[2,3] sums to 5, but the model has 4 units (2 layers, embedding, head).")]
    [InlineData("arch=tiny;pipeline.cut=[1,1,2]", "pipeline.cut=[1,1,2] names 3 parts, but pipeline.stages=2 times pipeline.chunks=1 is 2.")]
    [InlineData("data=text", "data.path is empty, but data.source=text reads a file or folder; name it with data.path=…")]
    [InlineData("data=sample;data.path=x", "data.path=x has no use with data.source=sample, which makes its own text; choose data=text, data=jsonl or data=pile-readymade.")]
    [InlineData("train.budget.amount=1.5", "train.budget.amount=1.5 must be a whole number when train.budget.unit=steps.")]
    [InlineData("arch.sequence=2;train.mlm_probability=0.1", "train.mlm_probability=0.1 of arch.sequence=2 tokens leaves no position to predict; raise one of them.")]
    [InlineData("train.batch_size=64", "impl.microbatch_size=128 is above train.batch_size=64, but with train.batch_ramp=0.6 the batch grows from one micro-batch; lower impl.microbatch_size or set train.batch_ramp=0.")]
    public void Words_that_do_not_go_together_are_refused(string words, string message) => Assert.Equal(message, Cfg.Refusal(words.Split(';')));

    [Fact]
    public void A_cut_of_a_model_that_is_read_later_need_not_fit_the_shape_that_is_configured()
    {
        string[] words = ["arch=tiny", "pipeline=two", "pipeline.cut=[2,1]"];
        Assert.Contains("pipeline.cut=[2,1] sums to 3, but the model has 4 units", Cfg.Refusal(words));

        Assert.Equal([2, 1], Cfg.Resolve(new ConfigProfile("finetune-encrypted", [], ReadsModel: true), words).Run.Pipeline.Cut);
        Assert.Contains("names 2 parts", Assert.Throws<RefusedException>(
            () => Cfg.Resolve(new ConfigProfile("finetune-encrypted", [], ReadsModel: true), [.. words, "pipeline.stages=3"])).Message);
    }

    [Fact]
    public void Hours_may_be_fractions() => Assert.Equal(1.5, Cfg.Resolve("train.budget.unit=hours", "train.budget.amount=1.5").Run.Train.Budget);

    [Fact]
    public void All_problems_are_told_at_once()
    {
        var lines = Cfg.Refusal("arch=tny", "lr=1", "seed=x", "seed=2", "train.clip=-1").Split('\n');
        Assert.Equal("5 problems in the configuration:", lines[0]);
        foreach (var word in new[] { "arch=tny", "lr=1", "seed=x", "seed is given twice", "train.clip=-1" })
        {
            Assert.Single(lines, line => line.TrimStart().StartsWith(word, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_key_that_the_command_does_not_read_is_refused()
    {
        var refusal = Assert.Throws<RefusedException>(() => Cfg.Resolve(new ConfigProfile("compare-runs", [], ["base_dir"]), "train.clip=1", "base_dir=x"));
        Assert.Equal("train.clip=1: compare-runs does not read train.clip; it reads base_dir.", refusal.Message);
    }

    [Theory]
    [InlineData("abc", "abc", 0)]
    [InlineData("abc", "acb", 1)]
    [InlineData("abc", "ABC", 0)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("", "abc", 3)]
    public void Distance_counts_edits_and_swaps(string a, string b, int edits) => Assert.Equal(edits, Spelling.Distance(a, b));

    [Theory]
    [InlineData("cola", 4e-3, 8e-3, 5)]
    [InlineData("mrpc", 5e-4, 6e-4, 5)]
    [InlineData("rte", 2e-4, 2e-4, 5)]
    [InlineData("stsb", 2.5e-2, 4e-1, 5)]
    [InlineData("sst2", 8.5e-3, 8e-4, 1)]
    [InlineData("qnli", 6.5e-3, 8e-4, 1)]
    public void Every_published_task_has_the_settings_of_encrypted_fine_tuning(string task, double rate, double eps, double epochs)
    {
        var eval = Cfg.Resolve("name=test", $"eval=encrypted_{task}").Run.Eval;
        Assert.Equal([task], eval.Tasks);
        Assert.Equal((rate, eps, true, epochs), (eval.Optim.LearningRate, eval.Optim.Eps, eval.Optim.EpsInsideRoot, eval.Epochs));
        Assert.Equal((FineTuneMethod.Lora, 2, 16), (eval.Method, eval.LoraRank, eval.BatchSize));
    }
}
