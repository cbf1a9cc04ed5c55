namespace ActorTrainer.He.Scheme;

/// <summary>
/// 32 public bytes from which the uniform halves of keys and ciphertexts are expanded. They lie in ordinary memory, so a secret seed is none of
/// these: <see cref="Randomness"/> draws its own. Tests give one to make the same keys again.
/// </summary>
public readonly struct Seed : IEquatable<Seed>
{
    public const int Bytes = 32;

    private readonly ReadOnlyMemory<byte> _bytes;

    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public Seed(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Bytes)
        {
            throw new ArgumentException($"A seed has {Bytes} bytes; found {bytes.Length}.", nameof(bytes));
        }

        _bytes = bytes.ToArray();
    }

    public ReadOnlySpan<byte> Span => _bytes.Span;

    public static bool operator ==(Seed a, Seed b) => a.Equals(b);

    public static bool operator !=(Seed a, Seed b) => !a.Equals(b);

    public bool Equals(Seed other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is Seed other && Equals(other);

    public override int GetHashCode() => _bytes.IsEmpty ? 0 : BitConverter.ToInt32(Span);
}
