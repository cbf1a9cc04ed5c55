namespace ActorTrainer.Host.Chaos;

/// <summary>One fault of a plan.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Kind">What is done.</param>
/// <param name="AtStep">Fires once this step is committed.</param>
/// <param name="Nodes">To which nodes: one, or two for a pair.</param>
/// <param name="Duration">How long it lasts; zero for kills. Between the two kills of a pair: the delay of the second.</param>
internal sealed record Fault(int Number, FaultKind Kind, long AtStep, IReadOnlyList<string> Nodes, TimeSpan Duration)
{
    /// <summary>Name of a kind, as in the options and tables: kill-stage.</summary>
    public static string NameOf(FaultKind kind) => string.Concat(kind.ToString().Select((c, i) => char.IsUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : c.ToString()));

    /// <summary>Whether it lasts, and ends by itself.</summary>
    public bool Lasts => Kind is FaultKind.Pause or FaultKind.CutLink or FaultKind.Partition or FaultKind.Slow or FaultKind.Hold;

    /// <summary>One line.</summary>
    public override string ToString() =>
        $"{NameOf(Kind)} {string.Join(" and ", Nodes)}{(Lasts ? $" for {Duration.TotalSeconds:0.0} s" : "")}";
}
