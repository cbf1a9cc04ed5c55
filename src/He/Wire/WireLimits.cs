namespace ActorTrainer.He.Wire;

/// <summary>What a reader accepts besides what the parameters allow. Limits are always finite; key sets of large parameters need larger ones than the default.</summary>
public sealed record WireLimits
{
    private readonly long _maxBytes = 256L << 20;
    private readonly int _maxKeys = 1024;

    public static WireLimits Default { get; } = new();

    /// <summary>Bytes of one object, header and checksum included.</summary>
    public long MaxBytes
    {
        get => _maxBytes;
        init => _maxBytes = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Expected a positive number of bytes.");
    }

    /// <summary>Keys in one set.</summary>
    public int MaxKeys
    {
        get => _maxKeys;
        init => _maxKeys = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Expected a positive number of keys.");
    }
}
