using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Tests.Bert;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.FineTuning;

public sealed class BaseModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", true)]
    [InlineData("module.", true)]
    [InlineData("_orig_mod.", false)]
    [InlineData("module._orig_mod.", false)]
    public void Checkpoints_of_others_become_the_units_of_a_fine_tuning(string prefix, bool fused)
    {
        using var scope = NewDisposeScope();
        var arch = Tiny.Config(fused: fused);
        using var model = new BertForMlm(arch, seed: 4);
        var path = _folder.File("their.safetensors");
        SafeTensors.Write(path, model.Parameters.Select(p => (prefix + (p.Name == ParameterNames.WordEmbedding ? ParameterNames.Decoder : p.Name), p.Value)));
        var (store, source) = (new ContentStore(_folder.Path), CheckpointChoice.Find(_folder.Path, path, arch, _ => null));
        var hashes = BaseModel.WriteUnits(source, store);

        var separate = arch with { FusedQkv = false };
        using var loaded = TinyFineTuned.Model(separate, TinyFineTuned.Shape());
        using var expected = new BertForMlm(separate, seed: 9);
        StateDict.LoadInto(separate, expected.Units, path);
        foreach (var unit in loaded.Units)
        {
            BaseModel.LoadUnit(unit, store.Verified(hashes[unit.Name]));
        }

        Assert.Equal(UnitFactory.Names(arch), hashes.Keys);
        Assert.All(expected.Units, unit => Assert.Equal(
            hashes[unit.Name], store.Put(stream => SafeTensors.Write(stream, unit.Parameters.Select(p => (p.Name, p.Value))))));
        var tensors = expected.Parameters.ToDictionary(p => p.Name, p => Tiny.Floats(p.Value));
        var frozen = loaded.Units.SelectMany(unit => unit.Frozen).ToList();
        Assert.Equal(tensors.Count, frozen.Count);
        Assert.All(frozen, tensor => Assert.Equal(tensors[tensor.Name], Tiny.Floats(tensor.Value)));
        using var noGrad = no_grad();
        Assert.Equal(Tiny.Floats(expected.Encode(Tiny.Ids(), default, Tiny.Mask())), Tiny.Floats(WithoutAdapters(loaded).Encode(Tiny.Ids(), Tiny.Mask(), default)));
    }

    [Fact]
    public void Half_precision_files_become_float32_objects()
    {
        using var scope = NewDisposeScope();
        var arch = Tiny.Config(fused: true);
        using var model = new BertForMlm(arch, seed: 4);
        var path = _folder.File("half.safetensors");
        SafeTensors.Write(path, model.Parameters.Select(p => (p.Name, p.Value.to(ScalarType.BFloat16))));
        var store = new ContentStore(_folder.Path);
        var hashes = BaseModel.WriteUnits(CheckpointChoice.Find(_folder.Path, path, arch, _ => null), store);
        Assert.All(hashes.Values, hash => Assert.All(SafeTensors.Read(store.PathOf(hash)).Entries, entry => Assert.Equal("F32", entry.DType)));
    }

    [Fact]
    public void A_base_with_adapters_of_its_own_is_refused_and_one_with_a_head_is_taken_without_it()
    {
        var arch = TinyFineTuned.Arch(AttentionKind.GaussianKernel);
        using var model = TinyFineTuned.Model(arch, TinyFineTuned.Shape());
        var (states, bases) = TinyFineTuned.Files(model, _folder.Path);
        var store = new ContentStore(_folder.Path);
        var hashes = Enum.GetValues<AdapterSaving>().ToDictionary(saving => saving, saving =>
        {
            var folder = Directory.CreateDirectory(_folder.File($"{saving}")).FullName;
            FineTunedModel.Write(folder, arch, TinyFineTuned.Shape(), states, bases, saving);
            return CheckpointChoice.Find(_folder.Path, folder, null, _ => null);
        });

        var e = Assert.Throws<RefusedException>(() => BaseModel.WriteUnits(hashes[AdapterSaving.Separate], store));
        Assert.Contains("12 tensors of adapters (encoder.layers.0.attn.self_attention.key.lora_A", e.Message, StringComparison.Ordinal);
        Assert.Contains("eval.save=merged", e.Message, StringComparison.Ordinal);
        var head = SafeTensors.Read(store.PathOf(BaseModel.WriteUnits(hashes[AdapterSaving.Merged], store)["head"]));
        Assert.Equal(["encoder.final_norm.bias", "encoder.final_norm.weight"], head.Entries.Select(entry => entry.Name).Order());
    }

    [Fact]
    public void An_object_that_does_not_fit_its_unit_is_refused_with_every_key_and_changes_nothing()
    {
        using var scope = NewDisposeScope();
        using var unit = new EncoderLayerUnit(TinyFineTuned.Arch(AttentionKind.Softmax), 0, seed: 1);
        var before = unit.Parameters.Select(p => Tiny.Floats(p.Value)).ToList();
        var path = _folder.File("unit.safetensors");
        SafeTensors.Write(path, unit.Parameters.Skip(1).Select(p => (p.Name, p.Name.EndsWith("norm2.bias", StringComparison.Ordinal) ? zeros(3) : p.Value + 1))
            .Append(("encoder.layers.0.attn.self_attention.query.lora_A", zeros(2, 8))));

        var message = Assert.Throws<RefusedException>(() => BaseModel.LoadUnit(unit, path)).Message;
        Assert.Contains("1 missing: encoder.layers.0.norm1.weight", message, StringComparison.Ordinal);
        Assert.Contains("1 unexpected: encoder.layers.0.attn.self_attention.query.lora_A", message, StringComparison.Ordinal);
        Assert.Contains("encoder.layers.0.norm2.bias (expected floating [8], found F32 [3])", message, StringComparison.Ordinal);
        Assert.All(unit.Parameters.Zip(before), pair => Assert.Equal(pair.Item2, Tiny.Floats(pair.Item1.Value)));
    }

    [Theory]
    [InlineData(2.0, 1.5, 1.5, "step-00000030")]
    [InlineData(2.0, double.NaN, 3.0, "step-00000010")]
    [InlineData(double.NegativeInfinity, 4.0, double.NaN, "step-00000020")]
    public void The_smallest_loss_is_a_number_and_of_equal_ones_the_later_counts(double first, double second, double third, string expected)
    {
        var arch = Tiny.Config();
        using var model = new BertForMlm(arch, seed: 4);
        foreach (var step in new[] { 10, 20, 30 })
        {
            CheckpointFolder.Write(_folder.Path, step, path => StateDict.SaveModel(path, arch, model.Parameters));
        }

        double? Loss(long step) => step switch { 10 => first, 20 => second, _ => third };
        Assert.Equal(expected, Path.GetFileName(CheckpointChoice.Find(_folder.Path, CheckpointChoice.SmallestLoss, null, Loss).Name));
        Assert.Throws<RefusedException>(() => CheckpointChoice.Find(_folder.Path, CheckpointChoice.SmallestLoss, null, _ => double.NaN));
    }

    private static FineTunedBert WithoutAdapters(FineTunedBert model)
    {
        foreach (var up in model.Units.SelectMany(unit => unit.Parameters).Where(p => p.Name.EndsWith("lora_B", StringComparison.Ordinal)))
        {
            up.Value.detach().zero_();
        }

        return model;
    }
}
