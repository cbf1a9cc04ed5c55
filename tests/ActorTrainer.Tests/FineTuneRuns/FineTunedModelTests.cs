using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Tests.Bert;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.FineTuneRuns;

public class FineTunedModelTests
{
    private static readonly FineTuneShape Lora = new()
    {
        Task = "sst2",
        Outputs = 2,
        PoolerRank = 4,
        PoolerWidth = 6,
        Lora = new LoraShape { Rank = 2, Alpha = 3 },
    };

    public static TheoryData<AttentionKind, int, bool> Heads() => new()
    {
        { AttentionKind.GaussianKernel, 2, true },
        { AttentionKind.Softmax, 2, true },
        { AttentionKind.GaussianKernel, 1, true },
        { AttentionKind.GaussianKernel, 3, false },
    };

    [Theory]
    [MemberData(nameof(Heads))]
    public void Gradients_of_adapters_pooler_and_head_agree_with_finite_differences(AttentionKind attention, int outputs, bool lora)
    {
        var shape = Lora with { Outputs = outputs, Lora = lora ? Lora.Lora : null };
        using var model = Model(Tiny.Config(attention, GateActivation.Relu, fused: false), shape, ScalarType.Float64);
        using var scope = NewDisposeScope();
        var labels = outputs == 1 ? tensor(new[] { 1.5f, 3f }) : tensor(new[] { 1L, 0L });

        Loss().backward();

        foreach (var parameter in model.Units.SelectMany(unit => unit.Parameters))
        {
            var gradient = parameter.Value.grad is { } found ? Tiny.Doubles(found) : new double[parameter.Value.numel()];
            for (var i = 0; i < gradient.Length; i += Math.Max(1, gradient.Length / 7))
            {
                const double H = 1e-5;
                var slope = (Shifted(parameter.Value, i, H) - Shifted(parameter.Value, i, -H)) / (2 * H);
                Assert.True(Math.Abs(slope - gradient[i]) <= 1e-6 * Math.Max(1, Math.Abs(slope)), $"{parameter.Name}[{i}]: {gradient[i]} against {slope}");
            }
        }

        Assert.All(model.Units.SelectMany(unit => unit.Frozen), tensor => Assert.False(tensor.Value.requires_grad));

        Tensor Loss() => model.Head.Loss(model.Encode(Tiny.Ids(), Tiny.Mask(), Tiny.Context), [labels], 0.5, Tiny.Context);

        double Shifted(Tensor parameter, int index, double by)
        {
            using var noGrad = no_grad();
            using var inner = NewDisposeScope();
            var flat = parameter.detach().view(-1);
            flat[index] = flat[index] + by;
            var loss = Loss().item<double>();
            flat[index] = flat[index] - by;
            return loss;
        }
    }

    [Theory]
    [InlineData(AttentionKind.GaussianKernel)]
    [InlineData(AttentionKind.Softmax)]
    public void Merged_and_separate_adapters_give_the_same_logits_after_saving_and_loading(AttentionKind attention)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var arch = Tiny.Config(attention, GateActivation.Relu, fused: false) with { InitStd = 0.2 };
        using var model = Model(arch, Lora, ScalarType.Float32);
        var expected = Tiny.Floats(model.Logits(Tiny.Ids(), Tiny.Mask(), default));
        foreach (var saving in Enum.GetValues<AdapterSaving>())
        {
            var path = Save(model, arch, Path.Combine(folder.Path, $"{saving}"), saving);
            var (_, shape, units) = FineTunedModel.Load(path);
            using var loaded = new FineTunedBert(units);

            Assert.Equal(saving == AdapterSaving.Separate, shape.Lora is not null);
            Assert.All(Tiny.Floats(loaded.Logits(Tiny.Ids(), Tiny.Mask(), default)).Zip(expected), pair => Assert.Equal(pair.Item2, pair.Item1, 1e-6f));
        }
    }

    [Fact]
    public void An_adapter_file_has_only_what_was_learned_and_replaces_it_in_another_model()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var arch = Tiny.Config(AttentionKind.GaussianKernel, GateActivation.Relu, fused: false);
        using var model = Model(arch, Lora, ScalarType.Float32);
        var path = Save(model, arch, folder.Path, AdapterSaving.Separate);
        var adapter = Path.Combine(path, FineTunedModel.AdapterFile);
        var names = SafeTensors.Read(adapter).Entries.Select(entry => entry.Name).ToHashSet();

        Assert.Equal(2 * 3 * 2 + 6, names.Count);
        Assert.DoesNotContain(names, name => name.StartsWith("encoder", StringComparison.Ordinal) && !name.Contains("lora_", StringComparison.Ordinal));

        var expected = Tiny.Floats(model.Logits(Tiny.Ids(), Tiny.Mask(), default));
        using var other = new FineTunedBert(FineTunedModel.Load(path).Units);
        foreach (var parameter in other.Units.SelectMany(unit => unit.Parameters))
        {
            parameter.Value.detach().zero_();
        }

        FineTunedModel.LoadAdapter(other.Units, adapter);
        Assert.Equal(expected, Tiny.Floats(other.Logits(Tiny.Ids(), Tiny.Mask(), default)));
    }

    [Fact]
    public void A_model_folder_that_lacks_a_tensor_is_refused_with_its_name()
    {
        using var folder = new TemporaryFolder();
        var arch = Tiny.Config(AttentionKind.GaussianKernel, GateActivation.Relu, fused: false);
        using var model = Model(arch, Lora, ScalarType.Float32);
        var path = Save(model, arch, folder.Path, AdapterSaving.Merged);
        FineTuneShapeFile.Save(Path.Combine(path, FineTuneShapeFile.FileName), Lora);

        var e = Assert.Throws<RefusedException>(() => FineTunedModel.Load(path));
        Assert.Contains("encoder.layers.0.attn.self_attention.query.lora_A", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_published_model_trains_78882_parameters_with_adapters_of_rank_two()
    {
        var arch = new BertConfig { Layers = 2, Vocabulary = 8, Activation = GateActivation.Relu, FusedQkv = false };
        var units = FineTunedModel.CreateUnits(arch, new FineTuneShape { Lora = new LoraShape() });
        Assert.Equal(78_882, units.Sum(unit => unit.Parameters.Sum(parameter => parameter.Value.numel())));
        units.ForEach(unit => unit.Dispose());
    }

    [Theory]
    [InlineData(AttentionKind.GaussianKernel)]
    [InlineData(AttentionKind.Softmax)]
    public void Logits_do_not_depend_on_how_far_rows_are_padded(AttentionKind attention)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Model(Tiny.Config(attention, GateActivation.Relu, fused: false), Lora, ScalarType.Float64);
        var ids = tensor(new long[] { 4, 7, 2, 0, 0, 0 }, [1, 6]);

        var shorter = Tiny.Doubles(model.Logits(ids.narrow(1, 0, 3), null, default));
        var padded = Tiny.Doubles(model.Logits(ids, ids.ne(0).to(ScalarType.Float64), default));

        Assert.All(padded.Zip(shorter), pair => Assert.Equal(pair.Item2, pair.Item1, 1e-9));
    }

    [Fact]
    public void Crammed_checkpoints_with_fused_and_with_separate_projections_become_the_same_base()
    {
        using var folder = new TemporaryFolder();
        var arch = Tiny.Config(fused: true);
        using var fused = new BertForMlm(arch, seed: 4);
        StateDict.SaveModel(Path.Combine(folder.Path, "fused"), arch, fused.Parameters);
        using var separate = new BertForMlm(arch with { FusedQkv = false }, seed: 9);
        StateDict.LoadInto(arch with { FusedQkv = false }, separate.Units, Path.Combine(folder.Path, "fused", StateDict.WeightsFile));
        StateDict.SaveModel(Path.Combine(folder.Path, "separate"), arch with { FusedQkv = false }, separate.Parameters);
        var store = new ContentStore(Path.Combine(folder.Path, "store"));

        Assert.Equal(
            BaseModel.WriteUnits(CheckpointChoice.Find(folder.Path, Path.Combine(folder.Path, "fused"), null, _ => null), store),
            BaseModel.WriteUnits(CheckpointChoice.Find(folder.Path, Path.Combine(folder.Path, "separate"), null, _ => null), store));
    }

    [Theory]
    [InlineData("checkpoints/microlm-bert-mlm", "bert.embeddings.word_embeddings.weight")]
    [InlineData("checkpoints/tiny-bert-random", "embeddings.word_embeddings.weight")]
    public void A_checkpoint_of_another_architecture_is_refused_with_its_keys(string checkpoint, string key)
    {
        if (SharedData.Find(checkpoint) is not { } path)
        {
            return;
        }

        using var folder = new TemporaryFolder();
        var source = CheckpointChoice.Find(folder.Path, Path.Combine(path, "model.safetensors"), Tiny.Config(), _ => null);
        var e = Assert.Throws<RefusedException>(() => BaseModel.WriteUnits(source, new ContentStore(folder.Path)));
        Assert.Contains("missing: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(key.Split('.')[0], e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_checkpoint_of_the_smallest_loss_is_found_and_missing_ones_are_refused_with_what_to_do()
    {
        using var folder = new TemporaryFolder();
        var arch = Tiny.Config();
        using var model = new BertForMlm(arch, seed: 4);
        foreach (var step in new[] { 10, 20, 30 })
        {
            CheckpointFolder.Write(folder.Path, step, path => StateDict.SaveModel(path, arch, model.Parameters));
        }

        string Name(string choice) => Path.GetFileName(CheckpointChoice.Find(folder.Path, choice, null, step => step switch { 10 => 3, 20 => 2, _ => null }).Name);

        Assert.Equal("step-00000030", Name("latest"));
        Assert.Equal("step-00000020", Name("smallest-loss"));
        Assert.Contains("latest, smallest-loss, a model folder", Assert.Throws<RefusedException>(() => Name("nowhere")).Message, StringComparison.Ordinal);
        Assert.Contains("pre-train it first", Assert.Throws<RefusedException>(() => CheckpointChoice.Find("none", "latest", null, _ => null)).Message, StringComparison.Ordinal);
    }

    /// <summary>A model whose adapters are not zero, as after training.</summary>
    private static FineTunedBert Model(BertConfig arch, FineTuneShape shape, ScalarType dtype)
    {
        List<ModelUnit> units = [.. Enumerable.Range(0, UnitFactory.Count(arch)).Select(index => UnitFactory.Create(arch, index, seed: 6, dtype, fineTune: shape))];
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var seed = 100UL;
        foreach (var up in units.SelectMany(unit => unit.Parameters).Where(parameter => parameter.Name.EndsWith("lora_B", StringComparison.Ordinal)))
        {
            up.Value.detach().copy_(Tiny.Normal(seed++, up.Value.shape) * 0.3);
        }

        return new FineTunedBert(units);
    }

    private static string Save(FineTunedBert model, BertConfig arch, string folder, AdapterSaving saving)
    {
        Directory.CreateDirectory(folder);
        var (states, weights) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        foreach (var unit in model.Units)
        {
            SafeTensors.Write(states[unit.Name] = Path.Combine(folder, unit.Name + ".state"), unit.Parameters.Select(p => (p.Name, p.Value)));
            SafeTensors.Write(weights[unit.Name] = Path.Combine(folder, unit.Name + ".base"), unit.Frozen.Select(p => (p.Name, p.Value)));
        }

        FineTunedModel.Write(folder, arch, Lora, states, weights, saving);
        return folder;
    }
}
