using ActorTrainer.He.Backends;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>
/// Sums over pairs of tokens without masks of heads. Weights of pairs lie in the shape of an activation, W_g[i, t] for the shift of tokens δ(i, g) that place i of a head
/// stands for, so one evaluation of a function serves all pairs. Copies of an activation in which every place looks δ tokens ahead, and turned copies of the weights, make
/// products of them slot by slot. Maps are made once for a packing.
/// </summary>
public sealed class TokenShifts
{
    /// <summary>Levels that <see cref="Sheared"/> takes.</summary>
    public const int ShearLevels = 2;

    private readonly Packing _packing;
    private readonly DiagonalMatrix _slanted;
    private readonly DiagonalMatrix _sheared;
    private readonly DiagonalMatrix _transposed;

    public TokenShifts(Packing packing)
    {
        _packing = packing;
        Groups = SlotMaps.ShiftGroups(packing);
        var copies = new SlotMoves[Groups * packing.HeadPlaces, 1];
        for (var i = 0; i < copies.Length; i++)
        {
            copies[i, 0] = SlotMaps.FromSlanted(packing, i % packing.HeadPlaces, i / packing.HeadPlaces);
        }

        var blocks = new SlotMoves[Groups, Groups];
        foreach (var (to, from) in Enumerable.Range(0, Groups * Groups).Select(i => (i / Groups, i % Groups)))
        {
            blocks[to, from] = SlotMaps.Transposed(packing, to, from);
        }

        (_slanted, _sheared, _transposed) = (SlotMaps.ToMatrix(new[,] { { SlotMaps.Slanted(packing) } }), SlotMaps.ToMatrix(copies), SlotMaps.ToMatrix(blocks));
    }

    /// <summary>Ciphertexts of weights for all shifts, for each ciphertext of an activation.</summary>
    public int Groups { get; }

    /// <summary>Ciphertexts of an activation.</summary>
    public int Parts => _packing.Hidden.Ciphertexts;

    /// <summary>For each slot of a group's weights, whether its place stands for a shift.</summary>
    public IReadOnlyList<bool> Filled(int group) => [.. Enumerable.Range(0, _packing.Slots).Select(slot => SlotMaps.ShiftAt(_packing, slot / _packing.FeatureStride, group) >= 0)];

    /// <summary>
    /// X⁽ˢ'ᵍ⁾ for every turn s and group g, at g·D + s: first one copy with a mask for each of 2T − 1 shifts, then its turns by tokens with two or four masks each, where copies made at once take
    /// as many masks each as the first. Two levels.
    /// </summary>
    public Ciphertext[] Sheared(TensorMath math, Ciphertext x)
    {
        using var slanted = math.Transform([x], _slanted)[0];
        return math.Transform([slanted], _sheared);
    }

    /// <summary>Weights by the shift that leads back: Pᵀ_δ[t] = P_−δ[t + δ]; one level.</summary>
    public Ciphertext[] Transposed(TensorMath math, IReadOnlyList<Ciphertext> weights) => math.Transform(weights, _transposed);

    /// <summary>W_g[i] = Σ_s rot_s(of the s-th copy): for each group, over a head's places. <paramref name="term"/> may have three parts. One level, of a rescale.</summary>
    /// <param name="term">Of the copy's number g·D + s; a product before its rescale, freed here.</param>
    public Ciphertext[] Gather(TensorMath math, Func<int, Ciphertext> term) => [.. Enumerable.Range(0, Groups).Select(g => GatherGroup(math, s => term((g * _packing.HeadPlaces) + s)))];

    /// <summary>Y[i, t] = Σ_δ W_δ[t]·X[i, t + δ], from the copies of X: one relinearisation; one level.</summary>
    public Ciphertext Spread(TensorMath math, IReadOnlyList<Ciphertext> weights, IReadOnlyList<Ciphertext> copies)
    {
        var width = _packing.HeadPlaces;
        return math.SumOfProducts(weights.SelectMany((weight, g) => Turned(math, weight).Select((turned, s) => (turned, copies[(g * width) + ((width - s) % width)]))), freeFirst: true);
    }

    /// <summary>By Horner's rule, so that one key serves all turns.</summary>
    private Ciphertext GatherGroup(TensorMath math, Func<int, Ciphertext> term)
    {
        var e = math.Evaluator;
        var sum = Two(e, term(_packing.HeadPlaces - 1));
        for (var s = _packing.HeadPlaces - 2; s >= 0; s--)
        {
            using var before = sum;
            using var turned = e.Rotate(before, _packing.FeatureStride);
            using var next = term(s);
            sum = Two(e, e.Add(turned, next));
        }

        using (sum)
        {
            return e.Rescale(sum);
        }
    }

    private Ciphertext[] Turned(TensorMath math, Ciphertext weight) => math.Evaluator.RotateMany(weight, [.. Enumerable.Range(0, _packing.HeadPlaces).Select(s => s * _packing.FeatureStride)]);

    private static Ciphertext Two(Evaluator e, Ciphertext product)
    {
        using (product)
        {
            return e.Relinearise(product);
        }
    }
}
