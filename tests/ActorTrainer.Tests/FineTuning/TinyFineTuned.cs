using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Tests.Bert;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.FineTuning;

/// <summary>Fine-tuned models small enough for exhaustive checks.</summary>
internal static class TinyFineTuned
{
    public static BertConfig Arch(AttentionKind attention, double dropout = 0) =>
        Tiny.Config(attention, GateActivation.Relu, fused: false, dropout) with { InitStd = 0.3 };

    public static FineTuneShape Shape(int outputs = 2, double dropout = 0) => new()
    {
        Task = "made",
        Outputs = outputs,
        PoolerRank = 4,
        PoolerWidth = 6,
        Lora = new LoraShape { Rank = 2, Alpha = 3, Dropout = dropout },
    };

    public static Tensor TargetsOf(FineTuneShape shape) => shape.Outputs == 1 ? tensor(new[] { 1.5f, 3f }) : tensor(new[] { 1L, 0L });

    /// <summary>A model with adapters that are not zero and norms off 1 and 0, as after training.</summary>
    public static FineTunedBert Model(BertConfig arch, FineTuneShape shape, ScalarType dtype = ScalarType.Float32)
    {
        var units = Enumerable.Range(0, UnitFactory.Count(arch)).Select(index => UnitFactory.Create(arch, index, seed: 6, dtype, fineTune: shape)).ToList();
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var seed = 100UL;
        foreach (var tensor in units.SelectMany(unit => unit.Parameters.Concat(unit.Frozen)))
        {
            if (!tensor.Decay || tensor.Name.EndsWith("lora_B", StringComparison.Ordinal))
            {
                tensor.Value.detach().add_(Tiny.Normal(seed++, tensor.Value.shape).to(dtype) * 0.2);
            }
        }

        return new FineTunedBert(units);
    }

    /// <summary>The files of one checkpoint: learned tensors and base of each unit.</summary>
    public static (Dictionary<string, string> States, Dictionary<string, string> Bases) Files(FineTunedBert model, string folder)
    {
        var (states, bases) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        Directory.CreateDirectory(folder);
        foreach (var unit in model.Units)
        {
            SafeTensors.Write(states[unit.Name] = Path.Combine(folder, unit.Name + ".state"), unit.Parameters.Select(p => (p.Name, p.Value)));
            SafeTensors.Write(bases[unit.Name] = Path.Combine(folder, unit.Name + ".base"), unit.Frozen.Select(p => (p.Name, p.Value)));
        }

        return (states, bases);
    }
}
