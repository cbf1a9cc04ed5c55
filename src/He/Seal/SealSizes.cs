namespace ActorTrainer.He.Seal;

/// <summary>Bytes of objects in SEAL's format, uncompressed and with their headers: all are known from the parameters.</summary>
internal readonly struct SealSizes(SealParameters parameters, SealVersion version)
{
    public const int Header = 16;

    /// <summary>What a seed takes in the place of a polynomial.</summary>
    public const int Seed = Header + 1 + SealSeed.Bytes;

    /// <summary>All primes.</summary>
    public int KeyLimbs => parameters.Primes.Count;

    /// <summary>Digits of a switching key.</summary>
    public int Digits => parameters.MaxLevel + 1;

    public static int Parameters(int primes) => Header + 1 + (2 * sizeof(ulong)) + ((primes + 1) * (Header + sizeof(ulong)));

    public static long Array(long words) => Header + sizeof(ulong) + (words * sizeof(ulong));

    public long Words(int limbs) => (long)parameters.Degree * limbs;

    public long Plaintext(int limbs) => Header + ParmsId.Bytes + (2 * sizeof(ulong)) + Array(Words(limbs));

    public long Ciphertext(int limbs, int size, bool seeded) =>
        Header + ParmsId.Bytes + 1 + ((version.HasCorrectionFactor ? 5 : 4) * sizeof(ulong)) + (seeded ? Array(Words(limbs)) + Seed : Array(Words(limbs) * size));

    public long PublicKey(bool seeded) => Ciphertext(KeyLimbs, 2, seeded);

    /// <param name="entries">Keys, those that are empty included.</param>
    public long SwitchingKeys(long entries, long digits, long seeded) =>
        Header + ParmsId.Bytes + sizeof(ulong) + (entries * sizeof(ulong)) + ((digits - seeded) * PublicKey(false)) + (seeded * PublicKey(true));
}
