using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Bench;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Parity;

public class MicroBatchScalingTests
{
    private const int Rows = 11;

    [Theory]
    [InlineData(ScalarType.Float64, 4, 1e-12)]
    [InlineData(ScalarType.Float64, 1, 1e-12)]
    [InlineData(ScalarType.Float32, 4, 1e-6)]
    [InlineData(ScalarType.Float32, 1, 1e-6)]
    public void Gradients_of_micro_batches_add_up_to_those_of_the_whole_batch(ScalarType type, int microBatch, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var whole = Gradients(type, Rows);
        using var parts = Gradients(type, microBatch);
        foreach (var (one, sum) in whole.Parameters.Zip(parts.Parameters))
        {
            var expected = one.Value.grad!.to(ScalarType.Float64);
            var difference = (sum.Value.grad!.to(ScalarType.Float64) - expected).norm().item<double>();

            // The one gradient that is a sum of terms of both signs over every position: its own size is no measure of its rounding errors.
            var size = one.Name == ParameterNames.PositionScale ? Norm(whole) : expected.norm().item<double>();
            Assert.True(size > 0, one.Name);
            Assert.True(difference <= tolerance * size, $"{one.Name}: {difference} of {size}");
        }
    }

    private static double Norm(BertForMlm model) => GradientNorm.Total(model.Parameters.Select(GradientNorm.Squared));

    /// <summary>A model with the gradients of one step.</summary>
    private static BertForMlm Gradients(ScalarType type, int microBatch)
    {
        // Dropout masks are drawn per micro-batch: without it, only the order of sums differs.
        var config = ParityModel.Of(AttentionKind.Softmax) with { Dropout = 0 };
        var source = Workload.Of(config, microBatch, Rows, 1).Batches();
        var model = new BertForMlm(config, 1, type);
        var first = 0;
        foreach (var (rows, i) in MicroBatches.Split(Rows, microBatch).Select((rows, i) => (rows, i)))
        {
            var (inputs, targets) = source.Take(first, rows, 1);
            using (inputs)
            using (targets)
            {
                var target = ((TensorPayload)targets).Tensors;
                model.Loss(
                    ((TensorPayload)inputs).Tensors[0], target[0], target[1], 1.0 / (Rows * source.TargetsPerSequence),
                    new ForwardContext(1, 1, i, Training: true)).backward();
            }

            first += rows;
        }

        model.ReduceTiedGradients();
        return model;
    }
}
