using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;
using Xunit;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>Whole training steps as they are computed under encryption, on the cleartext twin, against the same model and optimiser in the clear.</summary>
public sealed class EncryptedModelTests
{
    [Theory]
    [InlineData(2, 2, 1)]
    [InlineData(1, 1, 2)]
    public void The_twin_learns_what_training_in_the_clear_learns(int layers, int outputs, int microBatches)
    {
        const int steps = 3;
        using var task = new MadeTask(layers, outputs);
        var twin = new TwinBackend(new CkksParameters(ParameterSets.ToyL15));
        using var model = MadeTwin.Build(task, twin, out var math);

        for (var step = 0; step < steps; step++)
        {
            var batches = Enumerable.Range(step * microBatches, microBatches).Select(number => MadeTwin.Encrypted(task, twin, math.Packing, number)).ToArray();
            model.Step(math, batches, 1.0 / (task.Batch * microBatches), MadeTask.LearningRate);
            Array.ForEach(batches, batch => batch.Dispose());
        }

        task.Train(steps, microBatches);

        Assert.All(model.Units, unit => Assert.Equal(steps, unit.Steps));
        foreach (var (unit, plain) in model.Units.Zip(task.Units))
        {
            var found = unit.Layout.Unpack([.. unit.State.Select(pack => TwinBackend.Values(pack.Weights).Select(v => v.Real).ToArray())]);
            foreach (var (name, expected) in MadeTask.Learned(plain))
            {
                var (error, size) = (Distance(expected, found[name]), Distance(expected, new double[expected.Length]));
                Assert.True(error <= 1e-6 * size, $"{unit.Name} {name}: relative error {error / size:E2}.");
            }
        }
    }

    [Fact]
    public void What_a_unit_learns_is_packed_and_unpacked_without_loss()
    {
        var packing = new Packing(1024, 8, 4, 3, 5);
        foreach (var layout in (UnitLayout[])[new AdapterLayout(packing, 3), new HeadLayout(new HeadShape(packing, 16, 300, 3))])
        {
            var random = new Random(1);
            var tensors = layout.Tensors.ToDictionary(t => t.Name, t => Enumerable.Range(0, t.Count).Select(_ => random.NextDouble() - 0.5).ToArray());

            var packs = layout.Pack(tensors);
            var back = layout.Unpack(packs);

            Assert.Equal(layout.Packs, packs.Length);
            Assert.All(layout.Tensors, tensor => Assert.Equal(0, Distance(tensors[tensor.Name], back[tensor.Name]), 1e-12));
            var norm = packs.Zip(layout.NormWeights()).Sum(pair => pair.Item1.Zip(pair.Item2).Sum(slot => Math.Pow(slot.Item1 * slot.Item2, 2)));
            Assert.Equal(tensors.Values.Sum(t => t.Sum(v => v * v)), norm, 1e-9);
            Assert.Contains("found no such tensor", Assert.Throws<ArgumentException>(() => layout.Pack(new Dictionary<string, double[]>())).Message);
        }
    }

    private static double Distance(double[] a, double[] b) => Math.Sqrt(a.Zip(b).Sum(pair => Math.Pow(pair.Item1 - pair.Item2, 2)));
}
