using ActorTrainer.He.Approximation;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.Bench;

/// <summary>A classifier head of random weights with cross-entropy, forward and backward, and one AdamW step of it and of adapters: what a training step takes beside its layers.</summary>
internal sealed class MadeHead : IMadeProgram
{
    private const int Rank = 32;
    private const int Width = 1024;
    private const int Outputs = 2;

    private readonly Random _random = new(7);
    private readonly HeadShape _shape;
    private readonly ClassifierHead _head;
    private readonly CrossEntropyLoss _loss;
    private readonly EncryptedAdamW _optimiser;
    private readonly HeadSlots _weights;
    private readonly double[][] _input;
    private readonly double[][] _targets;
    private readonly double[][][] _adapterTerms;

    /// <param name="adapterVectors">Vectors of all adapters' matrices, of all layers.</param>
    public MadeHead(Packing packing, int adapterVectors)
    {
        Packing = packing;
        _shape = new HeadShape(packing, Rank, Width, Outputs);
        var norm = new LayerNormLayer(packing.Hidden, FunctionCircuit.For(FunctionFits.InverseRoot(0.1, 8, 31, 1)), 1e-12, "head.norm");
        _head = new ClassifierHead(_shape, norm, _ => 1, _ => 0.1, FunctionCircuit.For(FunctionFits.Tanh(4, 31)), "head");
        _loss = new CrossEntropyLoss(FunctionCircuit.For(FunctionFits.Exp(-4, 4, 15)), FunctionCircuit.For(FunctionFits.Reciprocal(0.2, 12, 31)), "head.loss");
        _optimiser = new EncryptedAdamW(new AdamWSettings(0.9, 0.999, 0.01, 0.1), FunctionCircuit.For(FunctionFits.InverseRoot(0.005, 2, 31, 2)), "adamw");
        _weights = _shape.Pack(Matrix(Rank * packing.Hidden.Features, 0.1), Matrix(Rank, 0.1), Matrix(Width * Rank, 0.1), Matrix(Width, 0.1), Matrix(Outputs * Width, 0.01), Matrix(Outputs, 0.1));
        _input = packing.Hidden.Pack((_, _, _) => Normal());
        _targets = [.. Enumerable.Range(0, Outputs).Select(o => _shape.Slots((_, _) => 0).Select((_, slot) => slot % packing.Batch % Outputs == o ? 1.0 : 0).ToArray())];
        _adapterTerms = [.. Enumerable.Range(0, adapterVectors).Select(_ => packing.Hidden.Pack((_, _, _) => 0.01 * Normal()))];
    }

    public Packing Packing { get; }

    public IReadOnlyList<MadeResult> Run(TensorMath math, Func<double[], Ciphertext> encrypt)
    {
        using var weights = _weights.Encrypt(encrypt);
        Ciphertext[] targets = [.. _targets.Select(encrypt)];
        using var input = new Activation(Packing.Hidden, [.. _input.Select(encrypt)]);
        var (outputs, tape) = _head.Forward(math, input, weights, 1);
        var gradient = _loss.Gradient(math, outputs, targets, 1.0 / Packing.Batch, ClassifierHead.GradientLevel);
        var (terms, back) = _head.Backward(math, tape, weights, gradient, 0);
        tape.Dispose();
        Array.ForEach(targets, t => t.Dispose());
        Array.ForEach(gradient, g => g.Dispose());
        var updated = Updated(math, Packing.Batch, [.. terms.All], encrypt, "head");
        terms.Dispose();
        Ciphertext[] adapterTerms = [.. _adapterTerms.SelectMany(slots => slots.Select(encrypt)).Select(fresh => Lowered(math, fresh))];
        var adapters = Updated(math, Packing.PlaceStride, adapterTerms, encrypt, "adapters");
        Array.ForEach(adapterTerms, t => t.Dispose());
        return [.. outputs.Select(c => new MadeResult("outputs", c)), .. back.Parts.Select(c => new MadeResult("input's gradient", c)), .. updated, .. adapters];
    }

    /// <summary>Gradients, packed, and new vectors after a step of AdamW from zeros.</summary>
    private MadeResult[] Updated(TensorMath math, int period, Ciphertext[] terms, Func<double[], Ciphertext> encrypt, string name) => [.. terms.Chunk(period).SelectMany((chunk, i) =>
    {
        var pack = new VectorPack(Packing, period, $"{name}.{i}");
        var gradient = pack.Sum(math, chunk, 0);
        using var state = new AdamWPack(Zeros(), Zeros(), Zeros());
        using var next = _optimiser.Step(math, state, gradient, [.. Enumerable.Repeat(1.0, Packing.Slots)], 0.01, 1, 0);
        return (MadeResult[])
        [
            new($"{name}'s gradients", gradient, period),
            .. pack.Spread(math, next.Weights, chunk.Length, ClassifierHead.WeightLevel).Select(c => new MadeResult($"{name}'s updates", c)),
        ];

        Ciphertext Zeros() => Lowered(math, encrypt(new double[Packing.Slots]));
    })];

    /// <summary>At the level at which a layer leaves terms of gradients.</summary>
    private static Ciphertext Lowered(TensorMath math, Ciphertext fresh)
    {
        using (fresh)
        {
            return math.Exactly(fresh, 1);
        }
    }

    private double[] Matrix(int count, double size) => [.. Enumerable.Range(0, count).Select(_ => size * Normal())];

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
