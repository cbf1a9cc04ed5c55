using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;

namespace ActorTrainer.Model.FineTuning;

/// <summary>Names and shapes of a fine-tuned model's tensors, from its shape alone.</summary>
public static class FineTuneLayout
{
    private static readonly string[] Projections = [ParameterNames.QueryProjection, ParameterNames.KeyProjection, ParameterNames.ValueProjection];

    /// <summary>All tensors: base, adapters, pooler, head.</summary>
    public static IEnumerable<(string Name, long[] Shape)> All(BertConfig arch, FineTuneShape shape) =>
        [.. Base(arch), .. Adapters(arch, shape), .. Head(arch, shape)];

    /// <summary>The learned tensors: all of them, or with adapters these, pooler and head.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Learned(BertConfig arch, FineTuneShape shape) =>
        shape.BaseIsFrozen ? [.. Adapters(arch, shape), .. Head(arch, shape)] : All(arch, shape);

    /// <summary>The tensors of the pre-trained model, three projections each.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Base(BertConfig arch) => StateDictLayout.Of(arch with { FusedQkv = false });

    /// <summary>The adapters'; none when the whole model is learned.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Adapters(BertConfig arch, FineTuneShape shape) =>
        shape.Lora is not { } lora ? [] : AdaptedProjections(arch, lora).SelectMany(projection => new (string, long[])[]
        {
            (ParameterNames.Adapter(projection, ParameterNames.LoraDown), [lora.Rank, arch.Hidden]),
            (ParameterNames.Adapter(projection, ParameterNames.LoraUp), [arch.Hidden, lora.Rank]),
        });

    /// <summary>Names of the projections with an adapter.</summary>
    public static IEnumerable<string> AdaptedProjections(BertConfig arch, LoraShape lora) =>
        from layer in Enumerable.Range(0, arch.Layers)
        from projection in Enumerable.Range(0, Projections.Length)
        where lora.Has(projection)
        select ParameterNames.Layer(layer, Projections[projection]);

    /// <summary>Pooler's and head's.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Head(BertConfig arch, FineTuneShape shape) =>
    [
        ("pooler.lora_a.weight", [shape.PoolerRank, arch.Hidden]),
        ("pooler.lora_a.bias", [shape.PoolerRank]),
        ("pooler.lora_b.weight", [shape.PoolerWidth, shape.PoolerRank]),
        ("pooler.lora_b.bias", [shape.PoolerWidth]),
        ("head.weight", [shape.Outputs, shape.PoolerWidth]),
        ("head.bias", [shape.Outputs]),
    ];
}
