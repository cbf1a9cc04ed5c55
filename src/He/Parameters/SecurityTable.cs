namespace ActorTrainer.He.Parameters;

/// <summary>
/// The largest log₂(QP) for 128 bits of classical security with uniform ternary secrets and errors of σ ≈ 3.2: table 5.2 of the
/// "Security Guidelines for Implementing Homomorphic Encryption" (IACR ePrint 2024/463). The rows are tight, so they are hard limits.
/// </summary>
public static class SecurityTable
{
    private static readonly Dictionary<int, int> Rows = new() { [12] = 106, [13] = 214, [14] = 430, [15] = 868, [16] = 1747, [17] = 3523 };

    /// <summary>Bits allowed at N = 2^<paramref name="logDegree"/>; 0 where the table has no row.</summary>
    public static int MaxLogQP(int logDegree) => Rows.GetValueOrDefault(logDegree);
}
