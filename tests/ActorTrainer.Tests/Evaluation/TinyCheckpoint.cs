using ActorTrainer.Actors.Evaluation;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Tests.Bert;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Evaluation;

/// <summary>Committed checkpoints of a tiny fine-tuned model.</summary>
internal static class TinyCheckpoint
{
    public const int Sequence = 24;

    public static readonly BertConfig Arch = Tiny.Config(fused: false) with { Sequence = Sequence };

    public static FineTuneShape Shape(bool lora, int outputs = 2) =>
        new() { Task = "sst2", Outputs = outputs, PoolerRank = 4, PoolerWidth = 8, Lora = lora ? new LoraShape() : null };

    /// <summary>The model of a checkpoint: base weights of seed 1, learned ones of <paramref name="seed"/>.</summary>
    public static EvaluationModel Save(IObjectStore store, ulong seed, bool lora = false, PaddingKind padding = PaddingKind.Longest)
    {
        var objects = new Dictionary<string, string>();
        for (var index = 0; index < UnitFactory.Count(Arch); index++)
        {
            using var start = UnitFactory.Create(Arch, index, 1, fineTune: Shape(lora));
            using var learned = Unit(index, seed, lora);
            using var optimiser = new AdamW(learned.Parameters, new AdamWOptions());
            objects[$"base/{start.Name}"] = store.Put(stream => SafeTensors.Write(stream, start.Parameters.Concat(start.Frozen).Select(p => (p.Name, p.Value))));
            objects[start.Name] = store.Put(stream => UnitStateFile.Write(stream, learned.Parameters, optimiser, new byte[16]));
        }

        return new EvaluationModel(new TensorEvaluationRecipe { Arch = Arch, Shape = Shape(lora), Padding = padding }.ToJson(), objects, "");
    }

    /// <summary>The same logits without any of it: row by row, unpadded.</summary>
    public static float[] Expected(SampleRows rows, ulong seed, bool lora = false)
    {
        var units = Enumerable.Range(0, UnitFactory.Count(Arch)).Select(index => Unit(index, seed, lora)).ToList();
        try
        {
            using var noGrad = no_grad();
            return [.. Enumerable.Range(0, rows.Count).SelectMany(row => Logits(units, rows.Ids(row).ToArray()))];
        }
        finally
        {
            units.ForEach(unit => unit.Dispose());
        }
    }

    public static int[] Predictions(float[] outputs) => [.. outputs.Chunk(2).Select(pair => pair[1] > pair[0] ? 1 : 0)];

    private static float[] Logits(List<ModelUnit> units, int[] ids)
    {
        using var scope = NewDisposeScope();
        var context = new ForwardContext(0, 1, 0, Training: false);
        var hidden = ((EmbeddingUnit)units[0]).Forward(tensor(ids.Select(id => (long)id).ToArray(), [1, ids.Length]), context);
        foreach (var layer in units.OfType<EncoderLayerUnit>())
        {
            hidden = layer.Forward(hidden, null, context);
        }

        return Tiny.Floats(((ClassifierHeadUnit)units[^1]).Logits(hidden, context));
    }

    /// <summary>A unit with frozen weights of seed 1 and learned ones of <paramref name="seed"/>; adapters' second matrices are not zero.</summary>
    private static ModelUnit Unit(int index, ulong seed, bool lora)
    {
        var unit = UnitFactory.Create(Arch, index, seed, fineTune: Shape(lora));
        using var start = UnitFactory.Create(Arch, index, 1, fineTune: Shape(lora));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (frozen, first) in unit.Frozen.Zip(start.Frozen))
        {
            frozen.Value.copy_(first.Value);
        }

        foreach (var (parameter, number) in unit.Parameters.Select((p, i) => (p, i)))
        {
            parameter.Value.add_(Tiny.Normal(seed * 1000 + (ulong)(index * 50 + number), parameter.Value.shape).to(ScalarType.Float32) * 0.3);
        }

        return unit;
    }
}
