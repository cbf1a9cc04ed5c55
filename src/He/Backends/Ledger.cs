namespace ActorTrainer.He.Backends;

/// <summary>Kinds of operations that are counted.</summary>
public enum Operation
{
    Add,
    AddPlain,
    MultiplyPlain,
    MultiplyConstant,
    Multiply,
    Relinearise,
    Rescale,
    Rotate,

    /// <summary>Digits of a part raised to all primes, for several rotations (hoisting).</summary>
    Raise,

    /// <summary>A rotation from digits that are raised already: products with the key and both divisions.</summary>
    RotateRaised,

    /// <summary>The same left multiplied by P, over all primes: products only.</summary>
    RotateUndivided,

    /// <summary>A plaintext times a rotation that is not divided yet.</summary>
    MultiplyPlainUndivided,

    /// <summary>One part divided by P.</summary>
    DivideSpecial,
}

/// <summary>What a program did: operations by kind and level, keys by element and highest level. Threads may note at once; read it when they are done.</summary>
public sealed class Ledger
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<(Operation Operation, int Level), long> _counts = [];
    private readonly SortedDictionary<int, int> _keys = [];

    /// <summary>How often, for each kind and level.</summary>
    public IReadOnlyDictionary<(Operation Operation, int Level), long> Counts => _counts;

    /// <summary>Exactly the keys that were used, each up to its highest level.</summary>
    public IEnumerable<Scheme.KeyRequest> Keys => _keys.Select(entry => new Scheme.KeyRequest(entry.Key, entry.Value));

    public long Count(Operation operation) => _counts.Where(entry => entry.Key.Operation == operation).Sum(entry => entry.Value);

    internal void Note(Operation operation, int level)
    {
        lock (_gate)
        {
            _counts[(operation, level)] = _counts.GetValueOrDefault((operation, level)) + 1;
        }
    }

    internal void NoteKey(int element, int level)
    {
        lock (_gate)
        {
            _keys[element] = Math.Max(level, _keys.GetValueOrDefault(element));
        }
    }
}
