using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>A safetensors file that holds a whole model, checked against a configuration; its tensors come out as the configuration wants them.</summary>
internal sealed class ModelWeights
{
    private readonly BertConfig _config;
    private readonly SafeTensorsHeader _header;
    private readonly IReadOnlyDictionary<string, TensorSource> _sources;

    private ModelWeights(BertConfig config, SafeTensorsHeader header, StateDictPlan plan)
    {
        (_config, _header, _sources) = (config, header, plan.Sources);
        FineTuned = plan.FineTuned.ToDictionary(pair => pair.Key, pair => header[pair.Value], StringComparer.Ordinal);
    }

    /// <summary>Tensors of pooler, head and adapters, by name without prefixes.</summary>
    public IReadOnlyDictionary<string, SafeTensorsEntry> FineTuned { get; }

    /// <summary>Reads and checks the header, and that a decoder equals the token table.</summary>
    /// <param name="allowFineTuned">False: pooler, head and adapters are refused.</param>
    /// <param name="decoderOptional">Whether the table may be there without its duplicate: fine-tuning needs no decoder.</param>
    /// <exception cref="RefusedException">Not a valid file, or tensors are missing, unexpected or of the wrong shape; all are named.</exception>
    public static ModelWeights Open(string path, BertConfig config, bool allowFineTuned, bool decoderOptional = false)
    {
        var header = SafeTensorsHeader.Read(path);
        var plan = StateDictPlan.Make(config, header, allowFineTuned, decoderOptional);
        if (plan.Tied is { } tied && !SafeTensors.SameBytes(header, tied.Table, header, tied.Decoder))
        {
            throw new RefusedException($"{path}: {tied.Decoder} differs from {tied.Table}; in this model the decoder is the token table, so they must be equal.");
        }

        return new ModelWeights(config, header, plan);
    }

    /// <summary>A tensor of the model in the file's type, on the CPU, projections in the configuration's layout.</summary>
    /// <param name="name">Name in <see cref="StateDictLayout"/> or <see cref="FineTuned"/>.</param>
    public Tensor Load(string name)
    {
        if (FineTuned.TryGetValue(name, out var entry))
        {
            return SafeTensors.Load(_header, entry.Name);
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var tensor = _sources[name] switch
        {
            TensorSource.Direct direct => Read(direct.Key),
            TensorSource.Fused fused => QkvLayout.Fuse(Read(fused.Query), Read(fused.Key), Read(fused.Value), _config.Heads),
            TensorSource.Part { Index: 0 } part => QkvLayout.Split(Read(part.FusedKey), _config.Heads).Query,
            TensorSource.Part { Index: 1 } part => QkvLayout.Split(Read(part.FusedKey), _config.Heads).Key,
            TensorSource.Part part => QkvLayout.Split(Read(part.FusedKey), _config.Heads).Value,
            var source => throw new InvalidOperationException($"Unknown source {source}."),
        };
        return tensor.MoveToOuterDisposeScope();

        Tensor Read(string key) => SafeTensors.Load(_header, key);
    }

    /// <summary>Copies a tensor into <paramref name="target"/>, in place and outside the gradient graph; floating types are converted.</summary>
    /// <exception cref="RefusedException">The target has another shape.</exception>
    public void LoadInto(string name, Tensor target)
    {
        var direct = FineTuned.TryGetValue(name, out var entry) ? entry.Name : (_sources[name] as TensorSource.Direct)?.Key;
        if (direct is not null)
        {
            SafeTensors.LoadInto(_header, direct, target);
            return;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        target.detach().copy_(Load(name));
    }
}
