using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Approximation;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Ranges;
using TorchSharp;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>A small model in float64 with adapters and head, batches of made numbers, and the recipe under which the same is trained encrypted.</summary>
internal sealed class MadeTask : IDisposable
{
    public const double LearningRate = 0.02;

    private readonly DisposeScope _scope = NewDisposeScope();

    public MadeTask(int layers, int outputs, int tokens = 8, int batch = 4)
    {
        const int heads = 2;
        (Tokens, Batch) = (tokens, batch);
        Arch = TwinModel.Arch(heads, 8, tokens) with { Layers = layers };
        Shape = new FineTuneShape { Task = "made", Outputs = outputs, PoolerRank = 8, PoolerWidth = 40, Lora = new LoraShape { Rank = 2, Alpha = 3 } };
        Units = [.. Enumerable.Range(0, layers).Select(ModelUnit (i) => new EncoderLayerUnit(Arch, i, seed: 5, ScalarType.Float64, lora: Shape.Lora)),
            new ClassifierHeadUnit(Arch, Shape, seed: 3, ScalarType.Float64)];
        foreach (var unit in Units)
        {
            TwinModel.Disturb(unit);
        }

        Calibration = new Calibration { Sites = [.. Units.SelectMany(unit => Sites(unit.Name))] };
    }

    public int Tokens { get; }

    public int Batch { get; }

    public BertConfig Arch { get; }

    public FineTuneShape Shape { get; }

    public IReadOnlyList<ModelUnit> Units { get; }

    public Calibration Calibration { get; }

    public AdamWOptions Optim { get; } = new() { Beta1 = 0.9, Beta2 = 0.999, Eps = 0.01, EpsInsideRoot = true, WeightDecay = 0.1 };

    /// <summary>The same for an encrypted run.</summary>
    public EncryptedRecipe Recipe => new()
    {
        Arch = Arch,
        Shape = Shape,
        Optim = Optim,
        Set = ParameterSets.ToyL15.Name,
        AllowInsecure = true,
        Tokens = Tokens,
        Batch = Batch,
        Calibration = Calibration.ToJson(),
        CacheMiB = 64,
    };

    /// <summary>Names of a unit's learned tensors, in the order of its layout, with their numbers now.</summary>
    public static IReadOnlyDictionary<string, double[]> Learned(ModelUnit unit) => EncryptedNames.Of(unit.Name).ToDictionary(
        pair => pair.Inner, pair => TwinModel.Doubles(unit.Parameters.Single(p => p.Name == pair.Outer).Value));

    /// <summary>Stores a unit's frozen weights as a base has them.</summary>
    public static void Write(ModelUnit unit, Stream stream) => SafeTensors.Write(stream, unit.Frozen.Select(p => (p.Name, p.Value)));

    /// <summary>[Batch, Tokens, hidden] of a micro-batch.</summary>
    public Tensor Input(int number) => TwinModel.Made(100 + number, Batch, Tokens, Arch.Hidden);

    /// <summary>[Batch, Tokens], ones at tokens.</summary>
    public Tensor Mask() => TwinModel.Lengths(Batch, Tokens);

    /// <summary>Tokens of each example without padding.</summary>
    public IReadOnlyList<int> Lengths
    {
        get
        {
            var real = TwinModel.Doubles(Mask());
            return [.. Enumerable.Range(0, Batch).Select(b => (int)real.Skip(b * Tokens).Take(Tokens).Sum())];
        }
    }

    public double[] Labels(int number) => [.. Enumerable.Range(0, Batch).Select(b => Shape.Outputs == 1 ? 0.5 * ((b + number) % 3) : (b + number) % Shape.Outputs)];

    /// <summary>Slots of the targets of a micro-batch.</summary>
    public double[][] Targets(Packing packing, int number)
    {
        var labels = Labels(number);
        return [.. Enumerable.Range(0, Shape.Outputs).Select(o => Enumerable.Range(0, packing.Slots)
            .Select(slot => Shape.Outputs == 1 ? labels[slot % Batch] : labels[slot % Batch] == o ? 1.0 : 0).ToArray())];
    }

    /// <summary>Trains in the clear with the same polynomials; returns the mean loss of each step.</summary>
    /// <param name="first">Number of the first micro-batch.</param>
    public IReadOnlyList<double> Train(int steps, int microBatches, int first = 0)
    {
        var functions = new PolynomialFunctions(Calibration);
        var optimisers = Units.Select(unit =>
        {
            var site = RangeRecorder.OptimiserSite(unit.Name);
            return new AdamW(unit.Parameters, Optim) { InverseRoot = x => functions.Apply(site, x) };
        }).ToArray();
        var losses = new List<double>();
        for (var step = 0; step < steps; step++)
        {
            var sum = 0.0;
            for (var m = 0; m < microBatches; m++)
            {
                var loss = Loss(functions, first + (step * microBatches) + m, 1.0 / (Batch * microBatches));
                loss.backward();
                sum += loss.item<double>();
            }

            losses.Add(sum);
            Array.ForEach(optimisers, optimiser => optimiser.Step(LearningRate));
            Array.ForEach(optimisers, optimiser => optimiser.ZeroGrad());
        }

        Array.ForEach(optimisers, optimiser => optimiser.Dispose());
        Xunit.Assert.All(functions.Outside.Values, seen => Xunit.Assert.Equal(0, seen.Outside));
        return losses;
    }

    public void Dispose() => _scope.Dispose();

    private Tensor Loss(PolynomialFunctions functions, int number, double scale)
    {
        var context = new ForwardContext(1, 2, 3, Training: true, null, functions);
        var (x, labels) = (Input(number), Labels(number));
        foreach (var layer in Units.OfType<EncoderLayerUnit>())
        {
            x = layer.Forward(x, Mask(), context);
        }

        var targets = Shape.Outputs == 1 ? from_array(labels) : from_array(labels.Select(l => (long)l).ToArray());
        return ((ClassifierHeadUnit)Units[^1]).Loss(x, [targets], scale, context);
    }

    private static IEnumerable<CalibratedSite> Sites(string unit)
    {
        var statistics = new RangeStatistics { Count = 1, Min = 0, Max = 1, Sum = 0, SumOfSquares = 0 };
        CalibratedSite Site(string place, PointFunction function, FunctionFit fit) => new(unit, place, function, statistics, fit);
        CalibratedSite[] own = unit == "head"
            ?
            [
                Site("norm", PointFunction.NormInverseRoot, FunctionFits.InverseRoot(0.1, 30, 31, 1)),
                Site("pooler", PointFunction.Tanh, FunctionFits.Tanh(4, 31)),
                Site("loss.exp", PointFunction.LossExp, FunctionFits.Exp(-4, 4, 15)),
                Site("loss.sum", PointFunction.LossReciprocal, FunctionFits.Reciprocal(0.2, 12, 31)),
            ]
            :
            [
                Site("norm1", PointFunction.NormInverseRoot, FunctionFits.InverseRoot(0.1, 20, 31, 1)),
                Site("attention", PointFunction.KernelExp, FunctionFits.PowerExp(6)),
                Site("norm2", PointFunction.NormInverseRoot, FunctionFits.InverseRoot(0.1, 20, 31, 1)),
                Site("gate", PointFunction.Relu, FunctionFits.Relu(12)),
            ];
        return [.. own, Site("optimiser", PointFunction.OptimiserInverseRoot, FunctionFits.InverseRoot(0.005, 20, 63, 2))];
    }
}
