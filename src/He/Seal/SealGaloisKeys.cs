namespace ActorTrainer.He.Seal;

/// <summary>Keys for automorphisms X → X^element; each has a digit for every prime but the special one.</summary>
public sealed class SealGaloisKeys : IDisposable
{
    internal SealGaloisKeys(IReadOnlyDictionary<int, SealPublicKey[]> keys, ParmsId id) => (Keys, Id) = (keys, id);

    /// <summary>Odd numbers below 2N for which there are keys.</summary>
    public IEnumerable<int> Elements => Keys.Keys.Order();

    /// <summary>Of the key level.</summary>
    internal ParmsId Id { get; }

    internal IReadOnlyDictionary<int, SealPublicKey[]> Keys { get; }

    public void Dispose()
    {
        foreach (var digit in Keys.Values.SelectMany(key => key))
        {
            digit.Dispose();
        }
    }
}
