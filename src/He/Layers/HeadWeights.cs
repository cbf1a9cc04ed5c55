using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Layers;

/// <summary>
/// What the classifier head learns, encrypted: pooler hidden → rank → width, head width → outputs. With T tokens and F places, entries stand in slots (place p, token t), the same for
/// every example: A_c[p, t] = A[c·T + t, feature at p] for each ciphertext of the input; B_{j,c,s}[p, t] = B[(j·T + t)·F + p, c·T + (t + s) mod T]; H_{o,j}[p, t] = H[o, (j·T + t)·F + p];
/// biases where their results stand. One turned copy of A's results times B_{j,c,s} then is one diagonal of the product.
/// </summary>
public sealed class HeadWeights : IDisposable
{
    /// <summary>[part of the input][c].</summary>
    public required IReadOnlyList<IReadOnlyList<Ciphertext>> A { get; init; }

    /// <summary>[c].</summary>
    public required IReadOnlyList<Ciphertext> ABias { get; init; }

    /// <summary>[j][c·T + s].</summary>
    public required IReadOnlyList<IReadOnlyList<Ciphertext>> B { get; init; }

    /// <summary>[j].</summary>
    public required IReadOnlyList<Ciphertext> BBias { get; init; }

    /// <summary>[output][j].</summary>
    public required IReadOnlyList<IReadOnlyList<Ciphertext>> H { get; init; }

    /// <summary>[output].</summary>
    public required IReadOnlyList<Ciphertext> HBias { get; init; }

    /// <summary>All of them, always in the same order.</summary>
    public IEnumerable<Ciphertext> All => A.SelectMany(row => row).Concat(ABias).Concat(B.SelectMany(row => row)).Concat(BBias).Concat(H.SelectMany(row => row)).Concat(HBias);

    public void Dispose()
    {
        foreach (var ciphertext in All)
        {
            ciphertext.Dispose();
        }
    }
}

/// <summary>Sizes of a classifier head, and where its numbers stand.</summary>
/// <param name="Rank">Between the pooler's two matrices.</param>
/// <param name="Width">After the pooler.</param>
/// <param name="Outputs">Classes, or one number.</param>
public sealed record HeadShape(Packing Packing, int Rank, int Width, int Outputs)
{
    /// <summary>Ciphertexts of A's results.</summary>
    public int Ranks => (Rank + Packing.Tokens - 1) / Packing.Tokens;

    /// <summary>Ciphertexts of B's results.</summary>
    public int Widths => (Width + (Packing.Tokens * Packing.Places) - 1) / (Packing.Tokens * Packing.Places);

    /// <summary>Slots of every weight, in the order of <see cref="HeadWeights.All"/>.</summary>
    /// <param name="a">[Rank, hidden], flat.</param>
    /// <param name="b">[Width, Rank].</param>
    /// <param name="h">[Outputs, Width].</param>
    public HeadSlots Pack(IReadOnlyList<double> a, IReadOnlyList<double> aBias, IReadOnlyList<double> b, IReadOnlyList<double> bBias, IReadOnlyList<double> h, IReadOnlyList<double> hBias)
    {
        var (hidden, tokens) = (Packing.Hidden, Packing.Tokens);
        return new HeadSlots(
            [.. Enumerable.Range(0, hidden.Ciphertexts).Select(part => Each(Ranks, c => Slots((p, t) => hidden.FeatureAt(part, p) is var f and >= 0 ? Entry(a, (c * tokens) + t, f, Rank, hidden.Features) : 0)))],
            Each(Ranks, c => Slots((_, t) => Entry(aBias, 0, (c * tokens) + t, 1, Rank))),
            [.. Enumerable.Range(0, Widths).Select(j => Each(Ranks * tokens, n => Slots((p, t) => Entry(b, WidthAt(j, p, t), (n / tokens * tokens) + ((t + n) % tokens), Width, Rank))))],
            Each(Widths, j => Slots((p, t) => Entry(bBias, 0, WidthAt(j, p, t), 1, Width))),
            [.. Enumerable.Range(0, Outputs).Select(o => Each(Widths, j => Slots((p, t) => Entry(h, o, WidthAt(j, p, t), Outputs, Width))))],
            Each(Outputs, o => Slots((_, _) => hBias[o])));
    }

    /// <summary>A head's weights from their ciphertexts.</summary>
    /// <param name="items">In the order of <see cref="HeadWeights.All"/>.</param>
    /// <exception cref="ArgumentException">There are too few.</exception>
    public HeadWeights Weights(IEnumerable<Ciphertext> items)
    {
        using var next = items.GetEnumerator();
        Ciphertext Take() => next.MoveNext() ? next.Current : throw new ArgumentException("There are fewer ciphertexts than the head's weights take.", nameof(items));
        IReadOnlyList<Ciphertext> Row(int count) => [.. Enumerable.Range(0, count).Select(_ => Take())];
        IReadOnlyList<IReadOnlyList<Ciphertext>> Rows(int rows, int count) => [.. Enumerable.Range(0, rows).Select(_ => Row(count))];
        // Initialisers run in the order in which they are written, which is that of All.
        return new HeadWeights
        {
            A = Rows(Packing.Hidden.Ciphertexts, Ranks),
            ABias = Row(Ranks),
            B = Rows(Widths, Ranks * Packing.Tokens),
            BBias = Row(Widths),
            H = Rows(Outputs, Widths),
            HBias = Row(Outputs),
        };
    }

    /// <summary>The feature after the pooler that stands at a place and token.</summary>
    public int WidthAt(int j, int place, int token) => (((j * Packing.Tokens) + token) * Packing.Places) + place;

    /// <summary>A number for each place and token, the same for all examples.</summary>
    public double[] Slots(Func<int, int, double> value) =>
        [.. Enumerable.Range(0, Packing.Slots).Select(slot => value(slot / Packing.PlaceStride, slot % Packing.PlaceStride / Packing.Batch))];

    private static double[][] Each(int count, Func<int, double[]> make) => [.. Enumerable.Range(0, count).Select(make)];

    private static double Entry(IReadOnlyList<double> matrix, int row, int column, int rows, int columns) => row < rows && column < columns ? matrix[(row * columns) + column] : 0;
}

/// <summary>Slots of a head's weights, by the names of <see cref="HeadWeights"/>.</summary>
public sealed record HeadSlots(double[][][] A, double[][] ABias, double[][][] B, double[][] BBias, double[][][] H, double[][] HBias)
{
    /// <summary>All of them, in the order of <see cref="HeadWeights.All"/>.</summary>
    public IEnumerable<double[]> All => A.SelectMany(row => row).Concat(ABias).Concat(B.SelectMany(row => row)).Concat(BBias).Concat(H.SelectMany(row => row)).Concat(HBias);

    /// <summary>Each as a ciphertext.</summary>
    public HeadWeights Encrypt(Func<double[], Ciphertext> encrypt)
    {
        IReadOnlyList<Ciphertext> Row(double[][] row) => [.. row.Select(encrypt)];
        return new HeadWeights { A = [.. A.Select(Row)], ABias = Row(ABias), B = [.. B.Select(Row)], BBias = Row(BBias), H = [.. H.Select(Row)], HBias = Row(HBias) };
    }
}
