namespace ActorTrainer.He.Seal;

/// <summary>Keys from powers of the secret to the secret, beginning with the square; each has a digit for every prime but the special one.</summary>
public sealed class SealRelinearisationKeys : IDisposable
{
    public const int MaxCount = SealCiphertext.MaxSize - 2;

    internal SealRelinearisationKeys(IReadOnlyList<SealPublicKey[]> keys, ParmsId id) => (Keys, Id) = (keys, id);

    /// <summary>Ciphertexts of up to this many parts more than two can be relinearised.</summary>
    public int Count => Keys.Count;

    /// <summary>Of the key level.</summary>
    internal ParmsId Id { get; }

    internal IReadOnlyList<SealPublicKey[]> Keys { get; }

    public void Dispose()
    {
        foreach (var digit in Keys.SelectMany(key => key))
        {
            digit.Dispose();
        }
    }
}
