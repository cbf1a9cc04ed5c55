using ActorTrainer.He.Ring;

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

/// <summary>The public keys with which ciphertexts are computed on, by automorphism. Threads may use them at once.</summary>
public sealed class EvaluationKeys : IDisposable
{
    private readonly Dictionary<int, SwitchingKey> _keys = [];
    private readonly Lock _gate = new();
    private readonly RingContext? _ring;
    private readonly long _budget;

    /// <summary>Keys that are wholly in memory.</summary>
    public EvaluationKeys()
    {
    }

    /// <summary>
    /// Keys whose uniform halves are expanded from their seeds at their first use, and kept as long as there is room; those that come later are expanded each time. Nothing is put out for them, since
    /// programs use their keys in turn.
    /// </summary>
    /// <param name="budgetBytes">Native memory of all keys. The other halves are held in any case.</param>
    internal EvaluationKeys(RingContext ring, long budgetBytes) => (_ring, _budget) = (ring, budgetBytes);

    /// <summary>Native memory of the keys, in bytes; without those for bootstrapping's modulus, which are few limbs.</summary>
    public long Bytes { get; private set; }

    /// <summary>What keys take within a budget, in bytes.</summary>
    /// <param name="all">What they take without one.</param>
    /// <param name="budget">Null: none.</param>
    public static long Held(long all, long? budget) => budget is { } most ? Math.Max(all / 2, Math.Min(all, most)) : all;

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
            Bytes -= BytesOf(former);
            former.Dispose();
        }

        _keys.Add(element, key);
        Bytes += BytesOf(key);
    }

    private static long BytesOf(SwitchingKey key) => key.HalfBytes * (key.A is null ? 1 : 2);

    private SwitchingKey Ready(SwitchingKey key)
    {
        if (_ring is null || key.A is not null)
        {
            return key;
        }

        lock (_gate)
        {
            if (key.A is null && Bytes + key.HalfBytes <= _budget)
            {
                key.Expand(_ring);
                Bytes += key.HalfBytes;
            }
        }

        return key;
    }

    /// <exception cref="MissingKeyException">There is none, or only for lower levels.</exception>
    internal SwitchingKey Get(int element, int level, string purpose) =>
        _keys.TryGetValue(element, out var key) && key.Level >= level
            ? Ready(key)
            : throw new MissingKeyException($"{purpose} at level {level} needs a key that {(key is null ? "was not made" : $"was made up to level {key.Level} only")}. Request ({(element == KeyRequest.Relinearisation ? "relinearisation" : $"element {element}")}, level {level}) when keys are made; a plan lists all requests of a program.");
}

/// <summary>A key that an operation needs is not there.</summary>
public sealed class MissingKeyException(string message) : InvalidOperationException(message);
