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

    /// <summary>A diagonal of a linear transform times a rotation that is divided already.</summary>
    MultiplyDiagonal,

    /// <summary>A diagonal of a linear transform times a rotation that is not divided yet.</summary>
    MultiplyPlainUndivided,

    /// <summary>One part divided by P.</summary>
    DivideSpecial,

    /// <summary>From q₀ to all primes, by way of a sparse secret: once for each bootstrapping.</summary>
    RaiseModulus,
}

/// <summary>What a program did: operations by kind and level, keys by element and highest level. Threads may note at once; read it when they are done.</summary>
public sealed class Ledger
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<(Operation Operation, int Level), long> _counts = [];
    private readonly SortedDictionary<int, int> _keys = [];
    private readonly Dictionary<(string Part, Operation Operation, int Level), long> _parts = [];
    private long _noted;

    /// <summary>Operations noted so far, of all kinds; may be read while threads note.</summary>
    public long Noted => Interlocked.Read(ref _noted);

    /// <summary>How often, for each kind and level.</summary>
    public IReadOnlyDictionary<(Operation Operation, int Level), long> Counts => _counts;

    /// <summary>The same, by the part of the program that was entered last when they were noted.</summary>
    public IReadOnlyDictionary<(string Part, Operation Operation, int Level), long> Parts => _parts;

    /// <summary>The part that operations belong to now; empty where none was entered.</summary>
    public string Part { get; private set; } = "";

    /// <summary>Exactly the keys that were used, each up to its highest level.</summary>
    public IEnumerable<Scheme.KeyRequest> Keys => _keys.Select(entry => new Scheme.KeyRequest(entry.Key, entry.Value));

    public long Count(Operation operation) => _counts.Where(entry => entry.Key.Operation == operation).Sum(entry => entry.Value);

    /// <summary>Operations belong to a part until the result is disposed, then to the part around it. For the thread that runs the program.</summary>
    /// <param name="part">A name that is the same in every run of the program.</param>
    public Entered Enter(string part)
    {
        var entered = new Entered(this, Part);
        Part = part;
        return entered;
    }

    internal void Note(Operation operation, int level)
    {
        Interlocked.Increment(ref _noted);
        lock (_gate)
        {
            _counts[(operation, level)] = _counts.GetValueOrDefault((operation, level)) + 1;
            _parts[(Part, operation, level)] = _parts.GetValueOrDefault((Part, operation, level)) + 1;
        }
    }

    internal void NoteKey(int element, int level)
    {
        lock (_gate)
        {
            _keys[element] = Math.Max(level, _keys.GetValueOrDefault(element));
        }
    }

    /// <summary>A part that was entered.</summary>
    public readonly struct Entered(Ledger ledger, string around) : IDisposable
    {
        public void Dispose() => ledger.Part = around;
    }
}
