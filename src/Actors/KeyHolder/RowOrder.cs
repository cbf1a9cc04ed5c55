using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>Which rows make up which micro-batch.</summary>
/// <param name="Rows">Numbers of rows, micro-batch after micro-batch.</param>
/// <param name="Real">How many of them are rows of their own; those after it repeat the last.</param>
internal sealed record RowOrder(IReadOnlyList<int> Rows, int Real)
{
    /// <summary>For training: rows that are short enough, in a random order, in whole micro-batches.</summary>
    /// <param name="tokens">Tokens of each row.</param>
    /// <param name="most">Most tokens of a row that is taken.</param>
    /// <param name="seed">Of the order.</param>
    /// <param name="mostRows">Rows that are taken at most; 0: all.</param>
    /// <exception cref="RefusedException">There are too few such rows.</exception>
    public static RowOrder Shuffled(IReadOnlyList<int> tokens, int most, int batch, ulong seed, int mostRows = 0)
    {
        var taken = Short(tokens, most);
        var whole = Few(taken.Count, mostRows) / batch * batch;
        return whole > 0
            ? new RowOrder([.. Enumerable.Range(0, whole).Select(i => taken[(int)BlockOrder.BlockAt(seed, 0, i, taken.Count)])], whole)
            : throw new RefusedException($"{taken.Count} of {tokens.Count} rows have at most {most} tokens, which do not make a micro-batch of {batch}. Use more tokens, a smaller batch, or more rows.");
    }

    /// <summary>For evaluation: rows that are short enough, in their order, the last one repeated until the last micro-batch is full.</summary>
    /// <inheritdoc cref="Shuffled"/>
    public static RowOrder InOrder(IReadOnlyList<int> tokens, int most, int batch, int mostRows = 0)
    {
        var taken = Short(tokens, most);
        taken = taken[..Few(taken.Count, mostRows)];
        return taken.Count > 0
            ? new RowOrder([.. taken, .. Enumerable.Repeat(taken[^1], ((taken.Count + batch - 1) / batch * batch) - taken.Count)], taken.Count)
            : throw new RefusedException($"None of {tokens.Count} rows has at most {most} tokens. Use more tokens.");
    }

    private static int Few(int rows, int most) => most > 0 ? Math.Min(rows, most) : rows;

    private static List<int> Short(IReadOnlyList<int> tokens, int most) => [.. Enumerable.Range(0, tokens.Count).Where(row => tokens[row] <= most)];
}
