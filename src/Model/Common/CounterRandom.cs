namespace ActorTrainer.Model.Common;

/// <summary>
/// Random numbers as a pure function of a key and a counter: no state is carried from one use to the next, so a value
/// depends only on what it is for (seed, purpose, step, index), never on what was drawn before it or on which machine.
/// The mixer is SplitMix64 (Steele, Lea, Flood, 2014).
/// </summary>
public struct CounterRandom
{
    private readonly ulong _key;
    private ulong _counter;

    private CounterRandom(ulong key)
    {
        _key = key;
        _counter = 0;
    }

    /// <summary>A stream for one purpose; equal arguments give equal streams.</summary>
    public static CounterRandom Of(ulong seed, RandomPurpose purpose, long a = 0, long b = 0, long c = 0) =>
        new(Key(seed, purpose, a, b, c));

    /// <summary>The 64-bit key of a stream, for seeding a generator of another library.</summary>
    public static ulong Key(ulong seed, RandomPurpose purpose, long a = 0, long b = 0, long c = 0)
    {
        var key = Mix(seed + 0x9E3779B97F4A7C15UL);
        key = Mix(key ^ Mix((ulong)purpose + 0xD1B54A32D192ED03UL));
        key = Mix(key ^ Mix((ulong)a + 0x8CB92BA72F3D8DD7UL));
        key = Mix(key ^ Mix((ulong)b + 0xAEF17502108EF2D9UL));
        return Mix(key ^ Mix((ulong)c + 0xDB4F0B9175AE2165UL));
    }

    /// <summary>The next 64 uniform bits.</summary>
    public ulong NextUInt64() => Mix(_key + 0x9E3779B97F4A7C15UL * ++_counter);

    /// <summary>A uniform integer in [0, <paramref name="bound"/>), without modulo bias (Lemire, 2019).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public int NextInt(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)NextLong(bound);
    }

    /// <summary>A uniform integer in [0, <paramref name="bound"/>), without modulo bias (Lemire, 2019).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public long NextLong(long bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        var range = (ulong)bound;
        var high = Math.BigMul(NextUInt64(), range, out var low);
        if (low < range)
        {
            var threshold = (0 - range) % range;
            while (low < threshold)
            {
                high = Math.BigMul(NextUInt64(), range, out low);
            }
        }

        return (long)high;
    }

    /// <summary>A uniform double in [0, 1) with 53 random bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}

/// <summary>What a random stream is for. The numbers are part of every run's reproducibility: append, never renumber.</summary>
public enum RandomPurpose
{
    Initialisation = 1,
    BlockOrder = 2,
    MlmMask = 3,
    Dropout = 4,
    SampleText = 5,
    HeldOut = 6,
    Faults = 7,
    FineTuning = 8,
}
