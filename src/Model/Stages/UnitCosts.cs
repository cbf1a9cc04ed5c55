using System.Diagnostics;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Stages;

/// <summary>Measures what each unit of a model costs, so that stages can be cut to be equally slow.</summary>
public static class UnitCosts
{
    private const int Repetitions = 3;

    /// <summary>Seconds of one forward and backward of each unit, in order: the fastest of a few repetitions after a warm-up.</summary>
    /// <param name="config">The model; one encoder layer is measured for all of them.</param>
    /// <param name="rows">Sequences of a micro-batch.</param>
    /// <param name="targetsPerRow">Masked tokens of a sequence in pre-training.</param>
    /// <param name="threads">Intra-op threads of a stage.</param>
    /// <param name="device">Where the stages will run.</param>
    /// <param name="bf16">Matrix products in bfloat16.</param>
    /// <param name="fineTune">What fine-tuning makes of the model, which then has one target a sequence; null: pre-training.</param>
    public static IReadOnlyList<double> Measure(
        BertConfig config, int rows, int targetsPerRow, int threads, Device device, bool bf16, FineTuneShape? fineTune = null)
    {
        TorchThreads.Use(threads);
        using var scope = NewDisposeScope();
        using var generator = new Generator(0, device);
        var ids = randint(0, config.Vocabulary, [rows, config.Sequence], ScalarType.Int64, device, generator: generator);
        var hidden = randn([rows, config.Sequence, config.Hidden], ScalarType.Float32, device, generator: generator);
        var mask = fineTune is null ? null : ones([rows, config.Sequence], ScalarType.Float32, device);
        var positions = arange(0, rows * targetsPerRow, ScalarType.Int64, device);
        var labels = randint(0, config.Vocabulary, [rows * targetsPerRow], ScalarType.Int64, device, generator: generator);
        var context = new ForwardContext(0, 1, 0, Training: true);

        double embedding, layer, head;
        using (var unit = (EmbeddingUnit)UnitFactory.Create(config, 0, 0, device: device, bf16: bf16, fineTune: fineTune))
        {
            embedding = Fastest(unit, () => unit.Forward(ids, context));
        }

        using (var unit = (EncoderLayerUnit)UnitFactory.Create(config, 1, 0, device: device, bf16: bf16, fineTune: fineTune))
        {
            layer = Fastest(unit, () => unit.Forward(hidden.alias().requires_grad_(true), mask, context));
        }

        using (var unit = (HeadUnit)UnitFactory.Create(config, config.Layers + 1, 0, device: device, bf16: bf16, fineTune: fineTune))
        {
            (unit as MlmHeadUnit)?.UntiedCopy(EmbeddingUnit.InitialTable(config, 0, device: device));
            IReadOnlyList<Tensor> targets = fineTune is null ? [positions, labels] : [zeros([rows], ScalarType.Int64, device)];
            head = Fastest(unit, () => unit.Loss(hidden.alias().requires_grad_(true), targets, 1, context));
        }

        return [embedding, .. Enumerable.Repeat(layer, config.Layers), head];
    }

    private static double Fastest(ModelUnit unit, Func<Tensor> forward)
    {
        var best = double.MaxValue;
        for (var i = 0; i <= Repetitions; i++)
        {
            using var scope = NewDisposeScope();
            var watch = Stopwatch.StartNew();
            var output = forward().sum();
            if (output.requires_grad) // nothing does in a frozen embedding
            {
                output.backward();
            }

            output.item<float>(); // on a device: wait for the work that was queued
            if (i > 0)
            {
                best = Math.Min(best, watch.Elapsed.TotalSeconds);
            }
        }

        return best;
    }
}
