namespace ActorTrainer.Actors.Evaluation;

/// <summary>Rows of a split that one evaluator computes.</summary>
/// <param name="Split">Name of the split.</param>
/// <param name="First">First row, from 0.</param>
/// <param name="Rows">Rows.</param>
public sealed record EvaluationJob(string Split, int First, int Rows)
{
    /// <summary>All rows of splits in order, in jobs of at most <paramref name="size"/> rows.</summary>
    public static IReadOnlyList<EvaluationJob> Cut(IEnumerable<(string Split, int Rows)> splits, int size) =>
    [
        .. splits.SelectMany(s => Enumerable.Range(0, (s.Rows + size - 1) / size)
            .Select(i => new EvaluationJob(s.Split, i * size, Math.Min(size, s.Rows - i * size)))),
    ];

    public override string ToString() => $"rows {First + 1} to {First + Rows} of {Split}";
}
