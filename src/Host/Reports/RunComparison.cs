namespace ActorTrainer.Host.Reports;

/// <summary>What of a layer differs.</summary>
public enum DigestPart
{
    Weights,
    Optimiser,
    Rng,

    /// <summary>The layer is in one of the runs only.</summary>
    Layer,
}

/// <summary>The first thing in which two runs differ.</summary>
/// <param name="Part">First differing part of the layer, in the order weights, optimiser, RNG.</param>
/// <param name="DigestA">SHA-256 in run A, null where A has no such layer.</param>
/// <param name="DigestB">SHA-256 in run B, null where B has no such layer.</param>
public sealed record DigestDifference(long Step, string Layer, DigestPart Part, string? DigestA, string? DigestB);

/// <summary>Two runs compared by their digests.</summary>
/// <param name="Compared">Steps that both runs have digests of, up to the first difference, ascending.</param>
/// <param name="OnlyA">Steps with digests in run A only.</param>
/// <param name="OnlyB">Steps with digests in run B only.</param>
/// <param name="Layers">Layers compared in each step.</param>
/// <param name="First">The first difference, null when every common step is equal.</param>
public sealed record RunComparison(
    string FolderA,
    string FolderB,
    IReadOnlyList<long> Compared,
    IReadOnlyList<long> OnlyA,
    IReadOnlyList<long> OnlyB,
    int Layers,
    DigestDifference? First)
{
    /// <summary>Exit code of the command: 0 the runs agree, 1 they differ.</summary>
    public int ExitCode => First is null ? 0 : 1;
}
