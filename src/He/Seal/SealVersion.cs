namespace ActorTrainer.He.Seal;

/// <summary>
/// The version of SEAL's format. Before 4.4 SEAL 4 reads only files of its own minor version and of 3.4 to 3.7, so 3.7 is what every SEAL
/// from 3.7 on reads; 4.1 is what 4.1 writes. They differ in one word of ciphertexts, which CKKS does not use.
/// </summary>
/// <param name="Major">3 or 4.</param>
public readonly record struct SealVersion(byte Major, byte Minor)
{
    public static SealVersion V3 { get; } = new(3, 7);

    public static SealVersion V4 { get; } = new(4, 1);

    /// <summary>3.6 is the first version that expands seeds as later ones do; 4.4 is the last one known.</summary>
    internal bool IsReadable => this is { Major: 3, Minor: 6 or 7 } or { Major: 4, Minor: <= 4 };

    internal bool HasCorrectionFactor => Major == 4;

    public override string ToString() => $"{Major}.{Minor}";
}
