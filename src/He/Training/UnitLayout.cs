using ActorTrainer.He.Layers;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Training;

/// <summary>
/// Where what a unit learns lies in ciphertexts: as vectors of slots that layers compute with, and as packs of them (<see cref="VectorPack"/>) that the optimiser,
/// checkpoints and the owner see.
/// </summary>
public abstract class UnitLayout
{
    private readonly Lazy<(int Tensor, int Entry)[][]> _places;

    /// <param name="period">Slots in which a vector says the same: how many vectors share a pack.</param>
    /// <param name="tensors">What is learned, in canonical order.</param>
    private protected UnitLayout(Packing packing, int period, IReadOnlyList<LearnedTensor> tensors)
    {
        (Packing, Period, Tensors) = (packing, period, tensors);
        _places = new(FindPlaces);
    }

    public Packing Packing { get; }

    /// <summary>Vectors that share a pack.</summary>
    public int Period { get; }

    public IReadOnlyList<LearnedTensor> Tensors { get; }

    /// <summary>Vectors in all.</summary>
    public abstract int Vectors { get; }

    /// <summary>Ciphertexts of all weights, and of each of their moments.</summary>
    public int Packs => (Vectors + Period - 1) / Period;

    /// <summary>Vectors in a pack.</summary>
    public int VectorsOf(int pack) => Math.Min(Period, Vectors - (pack * Period));

    /// <summary>Slots of each pack.</summary>
    /// <param name="tensors">Entries by the names of <see cref="Tensors"/>.</param>
    /// <exception cref="ArgumentException">A tensor is missing or has another number of entries.</exception>
    public double[][] Pack(IReadOnlyDictionary<string, double[]> tensors)
    {
        var vectors = ToVectors([.. Tensors.Select(tensor => tensors.TryGetValue(tensor.Name, out var entries) && entries.Length == tensor.Count
            ? entries
            : throw new ArgumentException($"Expected {tensor.Count} numbers of {tensor.Name}, found {(entries is null ? "no such tensor" : entries.Length)}.", nameof(tensors)))]);
        return [.. Enumerable.Range(0, Packs).Select(p => new VectorPack(Packing, Period, "layout").Slots([.. vectors.Skip(p * Period).Take(Period)]))];
    }

    /// <summary>Entries of each tensor from the slots of each pack; slots that say the same are averaged.</summary>
    public Dictionary<string, double[]> Unpack(IReadOnlyList<IReadOnlyList<double>> packs)
    {
        var result = Tensors.Select(tensor => new double[tensor.Count]).ToArray();
        var copies = Tensors.Select(tensor => new int[tensor.Count]).ToArray();
        for (var p = 0; p < Packs; p++)
        {
            for (var slot = 0; slot < Packing.Slots; slot++)
            {
                if (_places.Value[p][slot] is (var tensor and >= 0, var entry))
                {
                    result[tensor][entry] += packs[p][slot];
                    copies[tensor][entry]++;
                }
            }
        }

        for (var t = 0; t < result.Length; t++)
        {
            for (var i = 0; i < result[t].Length; i++)
            {
                result[t][i] /= copies[t][i];
            }
        }

        return Tensors.Select((tensor, t) => (tensor.Name, result[t])).ToDictionary(pair => pair.Name, pair => pair.Item2);
    }

    /// <summary>For each slot of each pack, one where a weight that decays stands, else zero.</summary>
    public double[][] Decays() => Marks(place => place.Tensor >= 0 && Tensors[place.Tensor].Decay);

    /// <summary>
    /// For each slot of each pack, 1/√(copies of its entry), zero where nothing stands: the squares of a packed gradient times this sum up to the squared norm.
    /// </summary>
    public double[][] NormWeights()
    {
        var copies = _places.Value.SelectMany(pack => pack).GroupBy(place => place).ToDictionary(group => group.Key, group => group.Count());
        return [.. _places.Value.Select(pack => pack.Select(place => place.Tensor < 0 ? 0 : 1 / Math.Sqrt(copies[place])).ToArray())];
    }

    /// <summary>For each vector, one in slots where a weight stands, else zero; null where all do.</summary>
    public IReadOnlyList<double[]?> Filled()
    {
        var ones = ToVectors([.. Tensors.Select(tensor => Enumerable.Repeat(1.0, tensor.Count).ToArray())]);
        return [.. ones.Select(vector => vector.All(v => v == 1) ? null : vector)];
    }

    /// <summary>Slots of every vector.</summary>
    /// <param name="tensors">Entries, in the order of <see cref="Tensors"/>.</param>
    private protected abstract double[][] ToVectors(double[][] tensors);

    private double[][] Marks(Func<(int Tensor, int Entry), bool> marked) => [.. _places.Value.Select(pack => pack.Select(place => marked(place) ? 1.0 : 0).ToArray())];

    /// <summary>The entry at each slot of each pack, found by packing numbers that say which they are.</summary>
    private (int Tensor, int Entry)[][] FindPlaces()
    {
        var (numbers, owner) = (new Dictionary<string, double[]>(), new List<(int, int)> { (-1, 0) });
        foreach (var (tensor, t) in Tensors.Select((tensor, t) => (tensor, t)))
        {
            numbers.Add(tensor.Name, [.. Enumerable.Range(0, tensor.Count).Select(i => (double)(owner.Count + i))]);
            owner.AddRange(Enumerable.Range(0, tensor.Count).Select(i => (t, i)));
        }

        return [.. Pack(numbers).Select(slots => slots.Select(number => owner[(int)number]).ToArray())];
    }
}

/// <summary>Adapters on queries, keys and values: rows of A, then columns of B, each in as many vectors as an activation has ciphertexts.</summary>
public sealed class AdapterLayout : UnitLayout
{
    private static readonly string[] Projections = ["query", "key", "value"];

    /// <param name="rank">r.</param>
    public AdapterLayout(Packing packing, int rank)
        : base(packing, packing.PlaceStride, [.. Projections.SelectMany(p => (LearnedTensor[])
        [
            new(Down(p), rank, packing.Hidden.Features, Decay: true),
            new(Up(p), packing.Hidden.Features, rank, Decay: true),
        ])]) => Rank = rank;

    public int Rank { get; }

    /// <inheritdoc/>
    public override int Vectors => Projections.Length * 2 * Rank * Packing.Hidden.Ciphertexts;

    /// <summary>Name of A [r, hidden] of a projection: query, key or value.</summary>
    public static string Down(string projection) => $"{projection}.A";

    /// <summary>Name of B [hidden, r].</summary>
    public static string Up(string projection) => $"{projection}.B";

    private protected override double[][] ToVectors(double[][] tensors)
    {
        var (hidden, features) = (Packing.Hidden, Packing.Hidden.Features);
        return [.. Enumerable.Range(0, Projections.Length).SelectMany(p => Enumerable.Range(0, Rank).SelectMany(r => hidden.Pack((_, _, f) => tensors[2 * p][(r * features) + f]))
            .Concat(Enumerable.Range(0, Rank).SelectMany(r => hidden.Pack((_, _, f) => tensors[(2 * p) + 1][(f * Rank) + r]))))];
    }
}

/// <summary>Pooler and head, in the order of <see cref="HeadWeights.All"/>.</summary>
/// <param name="shape">Sizes.</param>
public sealed class HeadLayout(HeadShape shape) : UnitLayout(shape.Packing, shape.Packing.Batch,
[
    new(DownWeight, shape.Rank, shape.Packing.Hidden.Features, Decay: true),
    new(DownBias, 1, shape.Rank, Decay: false),
    new(UpWeight, shape.Width, shape.Rank, Decay: true),
    new(UpBias, 1, shape.Width, Decay: false),
    new(HeadWeight, shape.Outputs, shape.Width, Decay: true),
    new(HeadBias, 1, shape.Outputs, Decay: false),
])
{
    public const string DownWeight = "pooler.A";
    public const string DownBias = "pooler.a";
    public const string UpWeight = "pooler.B";
    public const string UpBias = "pooler.b";
    public const string HeadWeight = "head.H";
    public const string HeadBias = "head.c";

    public HeadShape Shape => shape;

    /// <inheritdoc/>
    public override int Vectors => (shape.Packing.Hidden.Ciphertexts * shape.Ranks) + shape.Ranks + (shape.Widths * shape.Ranks * shape.Packing.Tokens) + shape.Widths + (shape.Outputs * shape.Widths) + shape.Outputs;

    private protected override double[][] ToVectors(double[][] tensors) => [.. Slots(tensors).All];

    private HeadSlots Slots(double[][] tensors) => shape.Pack(tensors[0], tensors[1], tensors[2], tensors[3], tensors[4], tensors[5]);
}
