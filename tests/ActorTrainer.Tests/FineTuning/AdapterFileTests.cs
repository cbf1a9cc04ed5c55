using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Tests.Bert;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.FineTuning;

public sealed class AdapterFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(AttentionKind.Softmax, AdapterSaving.Merged)]
    [InlineData(AttentionKind.GaussianKernel, AdapterSaving.Merged)]
    [InlineData(AttentionKind.GaussianKernel, AdapterSaving.Separate)]
    public void An_adapter_file_goes_on_the_pre_trained_model_with_its_own_scale_and_attention(AttentionKind attention, AdapterSaving saving)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (arch, shape) = (TinyFineTuned.Arch(attention), TinyFineTuned.Shape(outputs: 3));
        var pretrained = Pretrained(arch with { FusedQkv = true, Attention = AttentionKind.Softmax });
        using var model = TinyFineTuned.Model(arch, shape);
        var store = new ContentStore(_folder.Path);
        var hashes = BaseModel.WriteUnits(CheckpointChoice.Find(_folder.Path, pretrained, null, _ => null), store);
        foreach (var unit in model.Units)
        {
            BaseModel.LoadUnit(unit, store.Verified(hashes[unit.Name]));
        }

        var (states, bases) = TinyFineTuned.Files(model, _folder.Path);
        FineTunedModel.Write(_folder.Path, arch, shape, states, bases, saving);
        var (foundArch, foundShape, units) = FineTunedModel.LoadOver(Path.Combine(pretrained, StateDict.WeightsFile), Adapter);
        using var loaded = new FineTunedBert(units);

        Assert.Equal((arch, shape), (foundArch, foundShape));
        var expected = Tiny.Floats(model.Logits(Tiny.Ids(), Tiny.Mask(), default));
        Assert.Equal(expected, Tiny.Floats(loaded.Logits(Tiny.Ids(), Tiny.Mask(), default)));
        using var folded = new FineTunedBert(FineTunedModel.Load(_folder.Path).Units);
        Assert.All(Tiny.Floats(folded.Logits(Tiny.Ids(), Tiny.Mask(), default)).Zip(expected), pair => Assert.Equal(pair.Item2, pair.Item1, 1e-6f));
    }

    [Fact]
    public void Bases_of_another_width_merged_models_and_files_that_say_nothing_are_refused()
    {
        var (arch, shape) = (TinyFineTuned.Arch(AttentionKind.GaussianKernel), TinyFineTuned.Shape());
        using var model = TinyFineTuned.Model(arch, shape);
        var (states, bases) = TinyFineTuned.Files(model, _folder.Path);
        FineTunedModel.Write(_folder.Path, arch, shape, states, bases, AdapterSaving.Merged);

        var wide = Path.Combine(Pretrained(arch with { Hidden = 16 }), StateDict.WeightsFile);
        Assert.Contains("encoder.final_norm.bias (expected [8], found [16])", Refused(wide, Adapter), StringComparison.Ordinal);
        Assert.Contains("unexpected: head.bias, head.weight, pooler.", Refused(_folder.File(StateDict.WeightsFile), Adapter), StringComparison.Ordinal);
        Assert.Contains("the metadata has no model_config", Refused(wide, wide), StringComparison.Ordinal);

        static string Refused(string weights, string adapter) => Assert.Throws<RefusedException>(() => FineTunedModel.LoadOver(weights, adapter)).Message;
    }

    [Fact]
    public void A_configuration_that_asks_for_other_shapes_is_refused_before_memory_is_taken_for_it()
    {
        var (arch, shape) = (TinyFineTuned.Arch(AttentionKind.GaussianKernel), TinyFineTuned.Shape());
        using var model = TinyFineTuned.Model(arch, shape);
        var (states, bases) = TinyFineTuned.Files(model, _folder.Path);
        FineTunedModel.Write(_folder.Path, arch, shape, states, bases, AdapterSaving.Separate);
        FineTuneShapeFile.Save(_folder.File(FineTuneShapeFile.FileName), shape with { Outputs = int.MaxValue, PoolerWidth = int.MaxValue });

        var message = Assert.Throws<RefusedException>(() => FineTunedModel.Load(_folder.Path)).Message;
        Assert.Contains("head.weight (expected floating [2147483647, 2147483647], found F32 [2, 6])", message, StringComparison.Ordinal);
        Assert.Contains("pooler.lora_b.bias", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_layout_of_a_shape_is_that_of_its_units()
    {
        var arch = TinyFineTuned.Arch(AttentionKind.Softmax);
        foreach (var shape in new[]
        {
            TinyFineTuned.Shape(), TinyFineTuned.Shape() with { Lora = null }, TinyFineTuned.Shape() with { Lora = new LoraShape { Rank = 3, Query = false } },
        })
        {
            var units = FineTunedModel.CreateUnits(arch, shape);
            Assert.Equal(
                Text(FineTuneLayout.Learned(arch, shape)), Text(units.SelectMany(unit => unit.Parameters).Select(p => (p.Name, p.Value.shape))));
            Assert.Equal(
                Text(FineTuneLayout.All(arch, shape)), Text(units.SelectMany(unit => unit.Parameters.Concat(unit.Frozen)).Select(p => (p.Name, p.Value.shape))));
            units.ForEach(unit => unit.Dispose());
        }

        static List<string> Text(IEnumerable<(string Name, long[] Shape)> tensors) => [.. tensors.Select(t => $"{t.Name} {string.Join(",", t.Shape)}").Order()];
    }

    [Theory]
    [InlineData("\"outputs\": 2,", "", "missing outputs")]
    [InlineData("\"alpha\": 3,", "", "missing lora.alpha")]
    [InlineData("\"outputs\": 2,", "\"outputs\": 2, \"classes\": 2,", "classes")]
    [InlineData("\"outputs\": 2,", "\"outputs\": 0,", "must be at least 1")]
    [InlineData("\"outputs\": 2,", "\"outputs\": 2, \"outputs\": 3,", "outputs")]
    [InlineData("\"dropout\": 0,", "\"dropout\": 1,", "eval.lora.dropout=1")]
    [InlineData("{", "[", "not the configuration of a fine-tuned model")]
    public void A_configuration_with_keys_too_few_too_many_or_impossible_is_refused(string part, string instead, string expected)
    {
        var path = _folder.File(FineTuneShapeFile.FileName);
        FineTuneShapeFile.Save(path, TinyFineTuned.Shape());
        Assert.Equal(TinyFineTuned.Shape(), FineTuneShapeFile.Load(path));
        var text = File.ReadAllText(path);
        Assert.Contains(part, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(part, instead, StringComparison.Ordinal));
        Assert.Contains(expected, Assert.Throws<RefusedException>(() => FineTuneShapeFile.Load(path)).Message, StringComparison.Ordinal);
    }

    private string Adapter => _folder.File(FineTunedModel.AdapterFile);

    private string Pretrained(BertConfig arch)
    {
        var path = _folder.File($"pre-{arch.Hidden}");
        using var model = new BertForMlm(arch, seed: 4);
        StateDict.SaveModel(path, arch, model.Parameters);
        return path;
    }
}
