using System.Security.Cryptography;

namespace ActorTrainer.He.Scheme;

/// <summary>32 bytes from which random streams are expanded, each under its own domain. Public seeds make the uniform halves of keys and ciphertexts.</summary>
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

    /// <summary>From the system's generator.</summary>
    public static Seed Fresh()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        RandomNumberGenerator.Fill(bytes);
        return new Seed(bytes);
    }

    public static bool operator ==(Seed a, Seed b) => a.Equals(b);

    public static bool operator !=(Seed a, Seed b) => !a.Equals(b);

    public bool Equals(Seed other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is Seed other && Equals(other);

    public override int GetHashCode() => _bytes.IsEmpty ? 0 : BitConverter.ToInt32(Span);
}
