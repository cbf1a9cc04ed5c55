using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Bert;

public sealed class StateDictTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("model.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_saved_model_loads_with_equal_bits_and_configuration()
    {
        var config = Tiny.Config(AttentionKind.GaussianKernel, GateActivation.Relu, fused: false);
        using var model = new BertForMlm(config, seed: 1);
        StateDict.SaveModel(_folder.Path, config, model.Parameters);
        Assert.Equal(config, ModelConfigFile.Load(_folder.File(ModelConfigFile.FileName)));
        Assert.Equal([config.Vocabulary, config.Hidden], SafeTensors.Read(Path)[ParameterNames.Decoder].Shape);

        using var other = new BertForMlm(config, seed: 2);
        StateDict.LoadInto(config, other.Units, Path);
        AssertEqual(model, other);
    }

    [Fact]
    public void One_stage_loads_its_units_from_the_whole_file_and_its_decoder_copy_too()
    {
        var config = Tiny.Config();
        using var model = new BertForMlm(config, seed: 1);
        StateDict.SaveModel(_folder.Path, config, model.Parameters);
        using var layer = new EncoderLayerUnit(config, 1, seed: 2);
        using var head = new MlmHeadUnit(config, seed: 2);
        using (var table = EmbeddingUnit.InitialTable(config, seed: 2))
        {
            head.UntiedCopy(table);
        }

        StateDict.LoadInto(config, [layer, head], Path);
        Assert.All(model.Layers[1].Parameters.Zip(layer.Parameters), p => Assert.Equal(Tiny.Floats(p.Item1.Value), Tiny.Floats(p.Item2.Value)));
        Assert.Equal(Tiny.Floats(model.Embedding.Table), Tiny.Floats(head.Decoder));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Projections_are_converted_to_the_configured_layout(bool fileIsFused)
    {
        using var scope = NewDisposeScope();
        var (from, to) = (Tiny.Config(fused: fileIsFused), Tiny.Config(fused: !fileIsFused));
        using var model = new BertForMlm(from, seed: 1);
        StateDict.SaveModel(_folder.Path, from, model.Parameters);
        using var other = new BertForMlm(to, seed: 2);
        StateDict.LoadInto(to, other.Units, Path);
        Assert.All(
            Tiny.Floats(model.Encode(Tiny.Ids(), Tiny.Context)).Zip(Tiny.Floats(other.Encode(Tiny.Ids(), Tiny.Context))),
            pair => Assert.Equal(pair.Item1, pair.Item2, 1e-5f));

        // And back: exactly the first file's weights.
        StateDict.SaveModel(_folder.Path, to, other.Parameters);
        using var back = new BertForMlm(from, seed: 3);
        StateDict.LoadInto(from, back.Units, Path);
        AssertEqual(model, back);
    }

    [Fact]
    public void Wrapper_prefixes_buffers_and_a_table_only_under_the_decoders_name_are_accepted()
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMlm(Tiny.Config(), seed: 1);
        var tensors = Complete(model).Where(t => t.Name != ParameterNames.WordEmbedding)
            .Append(("encoder.layers.1.attn.self_attention.norm_factor", tensor(8f)))
            .Append(("encoder.embedding.pos_embedding.pe", ones(6, 8)));
        SafeTensors.Write(Path, tensors.Select(t => ("_orig_mod.module." + t.Item1, t.Item2)));
        using var other = new BertForMlm(Tiny.Config(), seed: 2);
        StateDict.LoadInto(Tiny.Config(), other.Units, Path);
        AssertEqual(model, other);
    }

    [Fact]
    public void Missing_unexpected_and_wrongly_shaped_tensors_are_all_named_and_nothing_is_changed()
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMlm(Tiny.Config(), seed: 1);
        var tensors = Complete(model).Where(t => t.Name is not "encoder.layers.0.norm1.weight" and not "encoder.final_norm.bias")
            .Select(t => t.Name == "encoder.layers.1.attn.dense.weight" ? (t.Name, ones(8, 9)) : t)
            .Append(("encoder.layers.2.norm1.weight", ones(8)))
            .Append(("encoder.layers.7.attn.self_attention.norm_factor", ones(1)));
        SafeTensors.Write(Path, tensors);
        using var other = new BertForMlm(Tiny.Config(), seed: 2);
        using var untouched = new BertForMlm(Tiny.Config(), seed: 2);
        var message = Assert.Throws<RefusedException>(() => StateDict.LoadInto(Tiny.Config(), other.Units, Path)).Message;
        Assert.Contains(Path, message);
        Assert.Contains("2 missing: encoder.final_norm.bias, encoder.layers.0.norm1.weight", message);
        Assert.Contains("2 unexpected: encoder.layers.2.norm1.weight, encoder.layers.7.attn.self_attention.norm_factor", message);
        Assert.Contains("encoder.layers.1.attn.dense.weight (expected [8, 8], found [8, 9])", message);
        AssertEqual(untouched, other);
    }

    [Theory]
    [InlineData("pooler.lora_a.weight")]
    [InlineData("head.bias")]
    [InlineData("encoder.layers.0.attn.self_attention.query.lora_A")]
    public void Fine_tuned_parts_are_refused_unless_told_to_pass_over_them(string name)
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMlm(Tiny.Config(), seed: 1);
        SafeTensors.Write(Path, [.. Complete(model), (name, ones(2))]);
        using var other = new BertForMlm(Tiny.Config(), seed: 2);
        Assert.Contains(name, Assert.Throws<RefusedException>(() => StateDict.LoadInto(Tiny.Config(), other.Units, Path)).Message);
        StateDict.LoadInto(Tiny.Config(), other.Units, Path, ignorePooler: true);
        AssertEqual(model, other);
    }

    [Theory]
    [InlineData(ParameterNames.Decoder, "1 missing: decoder.weight")]
    [InlineData("encoder.embedding.pos_embedding.scale_factor", "1 missing: encoder.embedding.pos_embedding.scale_factor")]
    public void A_single_missing_tensor_is_refused(string name, string expected)
    {
        using var model = new BertForMlm(Tiny.Config(), seed: 1);
        SafeTensors.Write(Path, Complete(model).Where(t => t.Name != name));
        Assert.Contains(expected, Assert.Throws<RefusedException>(() => StateDict.LoadInto(Tiny.Config(), model.Units, Path)).Message);
    }

    [Fact]
    public void A_file_with_only_one_of_three_projections_is_refused_with_the_other_two()
    {
        using var model = new BertForMlm(Tiny.Config(fused: false), seed: 1);
        var gone = new[] { "encoder.layers.0.attn.self_attention.query.weight", "encoder.layers.0.attn.self_attention.value.weight" };
        SafeTensors.Write(Path, Complete(model).Where(t => !gone.Contains(t.Name)));
        foreach (var fused in new[] { true, false })
        {
            var message = Assert.Throws<RefusedException>(() => StateDict.LoadInto(Tiny.Config(fused: fused), [], Path)).Message;
            Assert.Contains($"2 missing: {string.Join(", ", gone)}", message);
        }
    }

    [Fact]
    public void A_decoder_that_differs_from_the_table_and_integer_weights_are_refused()
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMlm(Tiny.Config(), seed: 1);
        SafeTensors.Write(Path, Complete(model).Select(t => t.Name == ParameterNames.Decoder ? (t.Name, t.Value * 2) : t));
        Assert.Contains("must be equal", Assert.Throws<RefusedException>(() => StateDict.LoadInto(Tiny.Config(), model.Units, Path)).Message);
        SafeTensors.Write(Path, Complete(model).Select(t => t.Name == "encoder.final_norm.bias" ? (t.Name, t.Value.to(ScalarType.Int32)) : t));
        Assert.Contains("found I32", Assert.Throws<RefusedException>(() => StateDict.LoadInto(Tiny.Config(), model.Units, Path)).Message);
    }

    [Fact]
    public void Names_that_collide_without_their_prefix_are_refused()
    {
        using var scope = NewDisposeScope();
        using var model = new BertForMlm(Tiny.Config(), seed: 1);
        SafeTensors.Write(Path, [.. Complete(model), ("module.encoder.final_norm.bias", ones(8))]);
        Assert.Contains("module.encoder.final_norm.bias", Assert.Throws<RefusedException>(() => StateDict.LoadInto(Tiny.Config(), model.Units, Path)).Message);
    }

    [Fact]
    public void A_model_put_together_from_unit_files_equals_one_saved_at_once()
    {
        using var model = new BertForMlm(Tiny.Config(), seed: 1);
        var files = model.Units.Select(unit => _folder.File(unit.Name)).ToList();
        foreach (var unit in model.Units)
        {
            using var optimiser = new AdamW(unit.Parameters, new AdamWOptions());
            using var stream = File.Create(_folder.File(unit.Name));
            UnitStateFile.Write(stream, unit.Parameters, optimiser, [1, 2, 3]);
        }

        StateDict.AssembleModel(_folder.File("assembled"), Tiny.Config(), files);
        StateDict.SaveModel(_folder.File("direct"), Tiny.Config(), model.Parameters);
        foreach (var name in new[] { StateDict.WeightsFile, ModelConfigFile.FileName })
        {
            Assert.Equal(
                File.ReadAllBytes(System.IO.Path.Combine(_folder.File("direct"), name)),
                File.ReadAllBytes(System.IO.Path.Combine(_folder.File("assembled"), name)));
        }

        Assert.Contains("encoder.final_norm.bias", Assert.Throws<RefusedException>(
            () => StateDict.AssembleModel(_folder.File("bad"), Tiny.Config(), files[..^1])).Message);
        Assert.Contains("every tensor belongs to one unit", Assert.Throws<RefusedException>(
            () => StateDict.AssembleModel(_folder.File("bad"), Tiny.Config(), [.. files, files[0]])).Message);
        Assert.False(Directory.Exists(_folder.File("bad")));
    }

    [Theory]
    [InlineData("{", "not a valid model configuration")]
    [InlineData("[]", "JSON object")]
    [InlineData("""{"architecture":"other"}""", "found \"other\"")]
    [InlineData("""{"architecture":"crammed-bert","layers":2}""", "missing hidden")]
    public void A_bad_model_configuration_is_refused_with_its_name(string json, string expected)
    {
        var path = _folder.File("model_config.json");
        File.WriteAllText(path, json);
        var message = Assert.Throws<RefusedException>(() => ModelConfigFile.Load(path)).Message;
        Assert.Contains(path, message);
        Assert.Contains(expected, message);
    }

    [Fact]
    public void A_model_configuration_with_unknown_keys_or_impossible_values_is_refused()
    {
        var path = _folder.File("model_config.json");
        ModelConfigFile.Save(path, new BertConfig());
        var good = File.ReadAllText(path);
        Assert.Equal(new BertConfig(), ModelConfigFile.Load(path));
        foreach (var (from, to, expected) in new[]
        {
            ("\"layers\": 16", "\"layers\": 16, \"colour\": 1", "colour"),
            ("\"layers\": 16", "\"layers\": -1", "arch.layers=-1"),
            ("\"heads\": 12", "\"heads\": 7", "arch.heads=7"),
            ("\"softmax\"", "\"sotfmax\"", "attention"),
            ("\"layers\": 16", "\"layers\": \"many\"", "layers"),
        })
        {
            Assert.Contains(from, good);
            File.WriteAllText(path, good.Replace(from, to));
            var message = Assert.Throws<RefusedException>(() => ModelConfigFile.Load(path)).Message;
            Assert.Contains(path, message);
            Assert.Contains(expected, message);
        }
    }

    private static IEnumerable<(string Name, Tensor Value)> Complete(BertForMlm model) =>
        model.Parameters.Select(p => (p.Name, p.Value)).Append((ParameterNames.Decoder, model.Embedding.Table));

    private static void AssertEqual(BertForMlm expected, BertForMlm actual)
    {
        foreach (var (e, a) in expected.Parameters.Zip(actual.Parameters))
        {
            Assert.Equal(e.Name, a.Name);
            Assert.Equal(Tiny.Floats(e.Value), Tiny.Floats(a.Value));
        }
    }
}
