using ActorTrainer.He.Approximation;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
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

/// <summary>The classifier head and its losses on the cleartext twin, against autograd of the same polynomial model in float64.</summary>
public sealed class ClassifierHeadTests
{
    private static readonly (FunctionFit Norm, FunctionFit Tanh, FunctionFit Exp, FunctionFit Sum) Fits =
        (FunctionFits.InverseRoot(0.1, 8, 31, 1), FunctionFits.Tanh(4, 31), FunctionFits.Exp(-4, 4, 15), FunctionFits.Reciprocal(0.2, 12, 31));

    /// <summary>Two classes, three and a number; a rank and a width that do not fill their ciphertexts, and ones that take several.</summary>
    [Theory]
    [InlineData(2, 8, 4, 4, 3, 20)]
    [InlineData(3, 8, 4, 4, 6, 70)]
    [InlineData(1, 8, 8, 2, 8, 520)]
    public void The_twin_gives_the_outputs_and_gradients_of_autograd(int outputs, int width, int tokens, int batch, int rank, int poolerWidth)
    {
        using var scope = NewDisposeScope();
        const int heads = 2;
        var arch = TwinModel.Arch(heads, width, tokens);
        var shape = new FineTuneShape { Task = "made", Outputs = outputs, PoolerRank = rank, PoolerWidth = poolerWidth, Lora = new LoraShape() };
        var unit = new ClassifierHeadUnit(arch, shape, seed: 3, ScalarType.Float64);
        TwinModel.Disturb(unit);
        var x = TwinModel.Made(1, batch, tokens, arch.Hidden).requires_grad_(true);
        var labels = Enumerable.Range(0, batch).Select(b => outputs == 1 ? 0.5 * b : b % outputs).ToArray();
        var targets = outputs == 1 ? from_array(labels) : from_array(labels.Select(l => (long)l).ToArray());
        var functions = new PolynomialFunctions(Calibrated(unit.Name));
        var context = new ForwardContext(1, 2, 3, Training: true, null, functions);
        var logits = unit.Logits(x, context);
        unit.Loss(x, [targets], 0.25, context).backward();
        Assert.All(functions.Outside.Values, seen => Assert.Equal(0, seen.Outside));

        var twin = new TwinBackend(new CkksParameters(ParameterSets.ToyL15));
        var math = new TensorMath(new Evaluator(twin), new ClearRefresher(twin), new Packing(1024, tokens, batch, heads, width));
        var (packing, top) = (math.Packing, twin.Parameters.MaxLevel);
        var head = new HeadShape(packing, rank, poolerWidth, outputs);
        var slots = head.Pack(Of(unit, "lora_a.weight"), Of(unit, "lora_a.bias"), Of(unit, "lora_b.weight"), Of(unit, "lora_b.bias"), Of(unit, "head.weight"), Of(unit, "head.bias"));
        using var weights = slots.Encrypt(values => twin.Encrypt(new PlainVector(values), top));
        var (gamma, beta) = (Of(unit, "norm.weight"), Of(unit, "norm.bias"));
        var norm = new LayerNormLayer(packing.Hidden, FunctionCircuit.For(Fits.Norm), arch.LayerNormEps, "norm");
        var layer = new ClassifierHead(head, norm, f => gamma[f], f => beta[f], FunctionCircuit.For(Fits.Tanh), "head");
        IEncryptedLoss loss = outputs == 1 ? new SquaredLoss("loss") : new CrossEntropyLoss(FunctionCircuit.For(Fits.Exp), FunctionCircuit.For(Fits.Sum), "loss");
        var owned = Enumerable.Range(0, outputs).Select(o => twin.Encrypt(new PlainVector(Enumerable.Range(0, packing.Slots).Select(slot => outputs == 1 ? labels[slot % batch] : labels[slot % batch] == o ? 1.0 : 0)), top)).ToArray();

        var (results, tape) = layer.Forward(math, TwinModel.Encrypt(twin, packing.Hidden, x), weights, 1);
        var gradient = loss.Gradient(math, results, owned, 0.25, 1);
        var (terms, input) = layer.Backward(math, tape, weights, gradient, 0);

        TwinModel.Close(logits, [.. Enumerable.Range(0, batch).SelectMany(b => results.Select(r => TwinBackend.Values(r)[b].Real))], "outputs");
        TwinModel.Close(x.grad!, TwinModel.Numbers(input), "input");
        var expected = head.Pack(Gradient(unit, "lora_a.weight"), Gradient(unit, "lora_a.bias"), Gradient(unit, "lora_b.weight"), Gradient(unit, "lora_b.bias"), Gradient(unit, "head.weight"), Gradient(unit, "head.bias"))
            .Encrypt(values => twin.Encrypt(new PlainVector(values), 1));
        foreach (var ((found, want), filled) in terms.All.Zip(expected.All).Zip(weights.All))
        {
            // Slots without a weight gather whatever; the optimiser masks them.
            var present = TwinBackend.Values(filled).Select(v => v.Real != 0).ToArray();
            var (total, values) = (Totals(TwinBackend.Values(found), packing), TwinBackend.Values(want));
            var error = Math.Sqrt(Enumerable.Range(0, packing.Slots).Where(i => present[i]).Sum(i => Math.Pow(total[i] - values[i].Real, 2)));
            Assert.InRange(error, 0, 1e-6 * Math.Sqrt(values.Sum(v => v.Real * v.Real)));
        }
    }

    /// <summary>Sums over examples, for all of them.</summary>
    private static double[] Totals(IReadOnlyList<System.Numerics.Complex> terms, Packing packing) =>
        [.. terms.Select((_, slot) => Enumerable.Range(0, packing.Batch).Sum(b => terms[(slot / packing.Batch * packing.Batch) + b].Real))];

    private static Calibration Calibrated(string unit)
    {
        var statistics = new RangeStatistics { Count = 1, Min = 0, Max = 1, Sum = 0, SumOfSquares = 0 };
        return new Calibration
        {
            Sites =
            [
                new(unit, "norm", PointFunction.NormInverseRoot, statistics, Fits.Norm),
                new(unit, "pooler", PointFunction.Tanh, statistics, Fits.Tanh),
                new(unit, "loss.exp", PointFunction.LossExp, statistics, Fits.Exp),
                new(unit, "loss.sum", PointFunction.LossReciprocal, statistics, Fits.Sum),
            ],
        };
    }

    private static double[] Of(ModelUnit unit, string name) => TwinModel.Doubles(Tensors(unit, name));

    private static double[] Gradient(ModelUnit unit, string name) => TwinModel.Doubles(Tensors(unit, name).grad!);

    private static Tensor Tensors(ModelUnit unit, string name) => unit.Parameters.Concat(unit.Frozen).Single(p => p.Name.EndsWith(name, StringComparison.Ordinal)).Value;
}
