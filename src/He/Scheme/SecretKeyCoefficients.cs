using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// The owner's way to keep a secret key beyond its process: its coefficients, two bits each (0, 1, 2 for −1, 0, 1), lowest first. It is apart from the
/// formats of everything else so that no key leaves by mistake. Whoever owns the bytes overwrites them after use.
/// </summary>
public static unsafe class SecretKeyCoefficients
{
    private const int PerByte = 4;

    /// <summary>Bytes of a key: N/4.</summary>
    public static int Bytes(CkksParameters parameters) => parameters.Degree / PerByte;

    /// <summary>Writes the key into memory of the caller, who overwrites it after use. Without a branch that depends on a coefficient.</summary>
    /// <param name="destination">Exactly <see cref="Bytes"/> long; best pinned.</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    /// <exception cref="MisuseException">The key is of other parameters.</exception>
    public static void Write(CkksContext context, SecretKey key, Span<byte> destination)
    {
        CheckLength(context.Parameters, destination.Length, nameof(destination));
        Check(context, key);
        var ring = context.Ring;
        using var copy = ring.Copy(key.Polynomial, 1, secret: true);
        ring.Inverse(copy);
        var kernels = ring.Chain(0);
        var digits = (ulong*)copy[0];
        kernels.AddScalar(digits, digits, 1);
        kernels.ToResidues(digits, digits);
        for (var i = 0; i < destination.Length; i++)
        {
            var four = digits + (PerByte * i);
            destination[i] = (byte)(four[0] | (four[1] << 2) | (four[2] << 4) | (four[3] << 6));
        }

        GC.KeepAlive(key);
    }

    /// <summary>The key of these coefficients.</summary>
    /// <exception cref="ArgumentException">The bytes have another length than <see cref="Bytes"/>.</exception>
    /// <exception cref="FormatException">A coefficient is none of −1, 0 and 1.</exception>
    public static SecretKey Read(CkksContext context, ReadOnlySpan<byte> bytes)
    {
        CheckLength(context.Parameters, bytes.Length, nameof(bytes));
        var ring = context.Ring;
        using var small = ring.NewPolynomial(1, secret: true);
        var numbers = (int*)small[0];
        var wrong = 0;
        for (var k = 0; k < ring.Degree; k++)
        {
            var digit = (bytes[k / PerByte] >> (2 * (k % PerByte))) & 3;
            wrong |= digit & (digit >> 1);
            numbers[k] = digit - 1;
        }

        if (wrong != 0)
        {
            throw new FormatException("Expected a secret key's coefficients, −1, 0 and 1; found others. Its bytes were changed.");
        }

        var polynomial = ring.NewPolynomial(ring.ChainLength, special: true, secret: true);
        var source = (nint)numbers;
        ring.Team.For(polynomial.Limbs, i =>
        {
            ring.Of(polynomial, i).FromSigned(polynomial[i], (int*)source);
            ring.Of(polynomial, i).Forward(polynomial[i]);
        });
        return new SecretKey(polynomial, context.Parameters.Fingerprint.ToArray());
    }

    /// <summary>Whether a public key belongs to a secret one: whether b + a·s is as small as an error is.</summary>
    /// <exception cref="MisuseException">A key is of other parameters.</exception>
    public static bool Match(CkksContext context, SecretKey secret, PublicKey key)
    {
        Check(context, secret);
        if (!key.Parameters.Fingerprint.Span.SequenceEqual(context.Parameters.Fingerprint.Span))
        {
            throw new MisuseException($"Cannot compare keys: the public key belongs to other parameters than {context.Parameters}.");
        }

        var ring = context.Ring;
        var kernels = ring.Chain(0);
        using var error = ring.Copy(key.B, 1, secret: true);
        kernels.MultiplyAdd(error[0], key.A[0], secret.Polynomial[0]);
        ring.Inverse(error);
        var residues = (ulong*)error[0];
        // A centred binomial number of 2·21 bits, as a residue from 0.
        kernels.AddScalar(residues, residues, Samplers.LargestError);
        kernels.ToResidues(residues, residues);
        var large = false;
        for (var k = 0; k < ring.Degree; k++)
        {
            large |= residues[k] > 2 * Samplers.LargestError;
        }

        GC.KeepAlive(secret);
        GC.KeepAlive(key);
        return !large;
    }

    private static void Check(CkksContext context, SecretKey key)
    {
        if (!key.Fingerprint.AsSpan().SequenceEqual(context.Parameters.Fingerprint.Span))
        {
            throw new MisuseException($"The secret key belongs to other parameters than {context.Parameters}. Use a context of its own parameters.");
        }
    }

    private static void CheckLength(CkksParameters parameters, int length, string name)
    {
        if (length != Bytes(parameters))
        {
            throw new ArgumentException($"A secret key of {parameters.Name} takes {Bytes(parameters)} bytes; found {length}.", name);
        }
    }
}
