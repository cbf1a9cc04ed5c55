using ActorTrainer.He.Approximation;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.Bench;

/// <summary>An encoder layer of random weights, its adapters and inputs, for any backend.</summary>
internal sealed class MadeLayer : IMadeProgram
{
    private const int Rank = 2;

    private readonly Random _random = new(7);

    public MadeLayer(Packing packing, int inner)
    {
        Packing = packing;
        var hidden = packing.Hidden.Features;
        Layer = new EncoderLayer(packing, new TokenShifts(packing), new EncoderWeights
        {
            Hidden = hidden,
            Inner = inner,
            Norm1Weight = Around(hidden, 1),
            Norm1Bias = Around(hidden, 0),
            Norm2Weight = Around(hidden, 1),
            Norm2Bias = Around(hidden, 0),
            Projections = [Matrix(hidden, hidden), Matrix(hidden, hidden), Matrix(hidden, hidden)],
            Dense = Matrix(hidden, hidden),
            DenseIn = Matrix(2 * inner, hidden),
            DenseOut = Matrix(hidden, inner),
            Epsilon = 1e-12,
            Norm1 = FunctionFits.InverseRoot(0.1, 8, 31, 1),
            Exp = FunctionFits.PowerExp(6),
            Norm2 = FunctionFits.InverseRoot(0.1, 8, 15, 2),
            Relu = FunctionFits.Relu(8),
        }, 0.5, "layer");
        Input = packing.Hidden.Pack((_, _, _) => Normal());
        Direction = packing.Hidden.Pack((_, _, _) => Normal());
        AdapterVectors = [.. Enumerable.Range(0, 3).Select(_ => Enumerable.Range(0, 2 * Rank).Select(_ => Vector(Around(hidden, 0))).ToArray())];
        Mask = [.. Enumerable.Range(0, SlotMaps.ShiftGroups(packing)).Select(g => Enumerable.Range(0, packing.Slots)
            .Select(slot => SlotMaps.ShiftAt(packing, slot / packing.FeatureStride, g) < 0 || slot % 7 == 0 ? 0.0 : 1).ToArray())];
    }

    public Packing Packing { get; }

    public EncoderLayer Layer { get; }

    public double[][] Input { get; }

    public double[][] Direction { get; }

    public double[][][][] AdapterVectors { get; }

    public double[][] Mask { get; }

    /// <summary>Forward and backward; everything that comes out, in one row.</summary>
    /// <param name="encrypt">Slots to a ciphertext.</param>
    public IReadOnlyList<MadeResult> Run(TensorMath math, Func<double[], Ciphertext> encrypt)
    {
        Activation Encrypted(double[][] slots) => new(Packing.Hidden, [.. slots.Select(encrypt)]);
        var vectors = AdapterVectors.Select(a => a.Select(Encrypted).ToArray()).ToArray();
        var adapters = vectors.Select((a, i) => new LowRank(a[..Rank], a[Rank..], $"layer.adapter{i}")).ToArray();
        using var input = Encrypted(Input);
        using var direction = Encrypted(Direction);
        Ciphertext[] mask = [.. Mask.Select(encrypt)];
        var (output, tape) = Layer.Forward(math, input, adapters, mask);
        using (tape)
        {
            var (gradients, back) = Layer.Backward(math, tape, direction, adapters, wantsInput: true);
            Array.ForEach(mask, m => m.Dispose());
            Array.ForEach(vectors, a => Array.ForEach(a, v => v.Dispose()));
            return
            [
                .. output.Parts.Select(c => new MadeResult("outputs", c)),
                .. back!.Parts.Select(c => new MadeResult("input's gradient", c)),
                .. gradients.SelectMany(g => g).SelectMany(g => g.Parts).Select(c => new MadeResult("gradients", c)),
            ];
        }
    }

    private double[][] Vector(double[] values) => Packing.Hidden.Pack((_, _, f) => values[f]);

    /// <summary>Small enough that sums over many features stay in the domains of the fits.</summary>
    private double[] Matrix(int rows, int columns) => [.. Enumerable.Range(0, rows * columns).Select(_ => Math.Min(0.15, 1.2 / Math.Sqrt(columns)) * Normal())];

    private double[] Around(int count, double centre) => [.. Enumerable.Range(0, count).Select(_ => centre + (0.2 * Normal()))];

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
