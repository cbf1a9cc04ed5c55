using ActorTrainer.He.Approximation;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Ranges;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>The layer as it is computed under encryption, on the cleartext twin, against autograd of the same polynomial model in float64.</summary>
public sealed class EncoderLayerTests
{
    [Theory]
    [InlineData(2, 8, 8, 2, true)]
    [InlineData(3, 4, 16, 1, true)]
    [InlineData(2, 8, 4, 4, false)]
    public void The_twin_gives_the_outputs_and_gradients_of_autograd(int heads, int width, int tokens, int batch, bool masked)
    {
        using var scope = NewDisposeScope();
        var arch = TwinModel.Arch(heads, width, tokens);
        var lora = new LoraShape { Rank = 2, Alpha = 3 };
        var unit = new EncoderLayerUnit(arch, 0, seed: 5, ScalarType.Float64, lora: lora);
        TwinModel.Disturb(unit);
        var calibration = Calibrated();
        var real = masked ? TwinModel.Lengths(batch, tokens) : ones(batch, tokens);
        var x = TwinModel.Made(1, batch, tokens, arch.Hidden).requires_grad_(true);
        var direction = TwinModel.Made(2, batch, tokens, arch.Hidden);
        var functions = new PolynomialFunctions(calibration);
        var expected = unit.Forward(x, real, new ForwardContext(1, 2, 3, Training: true, null, functions));
        (expected * direction).sum().backward();
        Assert.All(functions.Outside.Values, seen => Assert.Equal(0, seen.Outside));

        var twin = new TwinBackend(new CkksParameters(ParameterSets.ToyL15));
        var math = new TensorMath(new Evaluator(twin), new ClearRefresher(twin), new Packing(1024, tokens, batch, heads, width));
        var packing = math.Packing;
        var adapters = TwinModel.Adapters(twin, packing, unit, lora);
        var layer = new EncoderLayer(packing, new TokenShifts(packing), TwinModel.Weights(unit, arch, calibration), lora.Scale, "layers.0");
        var mask = TwinModel.OwnerMask(twin, packing, real);

        var (output, tape) = layer.Forward(math, TwinModel.Encrypt(twin, packing.Hidden, x), adapters, mask);
        var (gradients, input) = layer.Backward(math, tape, TwinModel.Encrypt(twin, packing.Hidden, direction), adapters, wantsInput: true);

        TwinModel.Close(expected, TwinModel.Numbers(output), "output");
        TwinModel.Close(x.grad!, TwinModel.Numbers(input!), "input");
        foreach (var (projection, i) in new[] { "query", "key", "value" }.Select((name, i) => (name, i)))
        {
            for (var r = 0; r < lora.Rank; r++)
            {
                TwinModel.Close(TwinModel.Named(unit, projection, "lora_A").grad![r], TwinModel.Total(gradients[i][r]), $"{projection} A {r}");
                TwinModel.Close(TwinModel.Named(unit, projection, "lora_B").grad!.transpose(0, 1)[r], TwinModel.Total(gradients[i][lora.Rank + r]), $"{projection} B {r}");
            }
        }
    }

    private static Calibration Calibrated()
    {
        var statistics = new RangeStatistics { Count = 1, Min = 0, Max = 1, Sum = 0, SumOfSquares = 0 };
        return new Calibration
        {
            Sites =
            [
                new("layers.0", "norm1", PointFunction.NormInverseRoot, statistics, FunctionFits.InverseRoot(0.1, 8, 31, 1)),
                new("layers.0", "attention", PointFunction.KernelExp, statistics, FunctionFits.PowerExp(6)),
                new("layers.0", "norm2", PointFunction.NormInverseRoot, statistics, FunctionFits.InverseRoot(0.1, 8, 15, 2)),
                new("layers.0", "gate", PointFunction.Relu, statistics, FunctionFits.Relu(8)),
            ],
        };
    }
}
