namespace ActorTrainer.He.Scheme;

/// <summary>One automorphism's key up to a level: what a program asks for, so that no key is larger than its use.</summary>
/// <param name="Element">Galois element; <see cref="Relinearisation"/> for the key of products.</param>
/// <param name="Level">The highest level at which it is used.</param>
public readonly record struct KeyRequest(int Element, int Level)
{
    /// <summary>No automorphism has this element.</summary>
    public const int Relinearisation = 0;

    /// <summary>Each element once, up to the highest level that is asked for; elements rising.</summary>
    public static KeyRequest[] Union(IEnumerable<KeyRequest> requests) =>
        [.. requests.GroupBy(request => request.Element).Select(group => group.MaxBy(request => request.Level)).OrderBy(request => request.Element)];
}

/// <summary>The public keys with which ciphertexts are computed on, by automorphism.</summary>
public sealed class EvaluationKeys : IDisposable
{
    private readonly Dictionary<int, SwitchingKey> _keys = [];

    /// <summary>What there is.</summary>
    public IEnumerable<KeyRequest> Requests => _keys.Select(entry => new KeyRequest(entry.Key, entry.Value.Level));

    /// <summary>Keys with which a ciphertext's modulus is raised, for bootstrapping; null where there are none.</summary>
    public EncapsulationKeys? Encapsulation { get; private set; }

    public void Dispose()
    {
        Encapsulation?.Dispose();
        foreach (var key in _keys.Values)
        {
            key.Dispose();
        }
    }

    /// <summary>Keys for bootstrapping, from here on disposed with the others.</summary>
    public void Add(EncapsulationKeys keys)
    {
        Encapsulation?.Dispose();
        Encapsulation = keys;
    }

    internal void Add(int element, SwitchingKey key)
    {
        if (_keys.Remove(element, out var former))
        {
            former.Dispose();
        }

        _keys.Add(element, key);
    }

    /// <exception cref="MissingKeyException">There is none, or only for lower levels.</exception>
    internal SwitchingKey Get(int element, int level, string purpose) =>
        _keys.TryGetValue(element, out var key) && key.Level >= level
            ? key
            : throw new MissingKeyException($"{purpose} at level {level} needs a key that {(key is null ? "was not made" : $"was made up to level {key.Level} only")}. Request ({(element == KeyRequest.Relinearisation ? "relinearisation" : $"element {element}")}, level {level}) when keys are made; a plan lists all requests of a program.");
}

/// <summary>A key that an operation needs is not there.</summary>
public sealed class MissingKeyException(string message) : InvalidOperationException(message);
