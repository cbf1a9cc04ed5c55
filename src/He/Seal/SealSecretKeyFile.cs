using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Seal;

/// <summary>
/// The owner's way to bring a secret key from SEAL or to it. It is apart from the reader and writer of everything else so that no key leaves by mistake.
/// Whoever owns the bytes overwrites them after use.
/// </summary>
public static unsafe class SealSecretKeyFile
{
    /// <summary>Bytes of a secret key of these parameters.</summary>
    public static long Bytes(SealParameters parameters) => new SealSizes(parameters, SealVersion.V4).Plaintext(parameters.Primes.Count);

    /// <summary>Reads a key that SEAL saved. A compressed one leaves traces in buffers of the decompressor, so save secret keys uncompressed.</summary>
    /// <exception cref="SealFormatException">The bytes are no conforming secret key: not a ternary polynomial, the same mod every prime.</exception>
    public static SealSecretKey Read(SealContext context, ReadOnlySpan<byte> bytes)
    {
        var (parameters, reader) = (context.Parameters, new SealReader(context));
        return SealSource.Open(bytes, "secret key", _ => Bytes(parameters), source =>
        {
            if (source.Id() != parameters.KeyId)
            {
                throw new SealFormatException($"The parms_id is not of the key level of {parameters}. Read keys under the parameters that they were made with.");
            }

            source.Word((ulong)(parameters.Degree * parameters.Primes.Count), "number of coefficients");
            if (source.Scale() is var scale && scale != 1)
            {
                throw new SealFormatException(FormattableString.Invariant($"The scale of a key is 1; found {scale}."));
            }

            using var stage = new SealStage();
            var polynomial = reader.Array(source, stage.Add(context.NewKeyPolynomial(secret: true)));
            return IsTernary(context.Ring, polynomial)
                ? stage.Finish(new SealSecretKey(polynomial, parameters.KeyId))
                : throw new SealFormatException("A secret key is a polynomial of −1, 0 and 1, the same mod every prime; this is not. Its bytes were changed.");
        });
    }

    /// <summary>Writes the key, uncompressed, into memory of the caller, who overwrites it after use.</summary>
    /// <param name="destination">Exactly <see cref="Bytes"/> long; best pinned.</param>
    /// <exception cref="MisuseException">The key is of other parameters.</exception>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public static void Write(SealContext context, SealSecretKey key, Span<byte> destination, SealVersion? version = null)
    {
        var parameters = context.Parameters;
        SealMisuse.Own(parameters, "secret key", key.Id);
        if (destination.Length != Bytes(parameters))
        {
            throw new ArgumentException($"A secret key of these parameters takes {Bytes(parameters)} bytes; found {destination.Length}.", nameof(destination));
        }

        new SealSink(destination, version ?? SealVersion.V4).Plaintext(context.Ring, key.Polynomial, key.Id, 1);
        GC.KeepAlive(key);
    }

    /// <summary>Without a branch that depends on a single coefficient.</summary>
    private static bool IsTernary(RingContext ring, Polynomial key)
    {
        using var first = ring.NewPolynomial(1, secret: true);
        using var other = ring.NewPolynomial(1, secret: true);
        ulong wrong = 0;
        for (var i = 0; i < key.Limbs; i++)
        {
            var kernels = ring.Of(key, i);
            var shifted = (ulong*)(i == 0 ? first : other)[0];
            var reference = (ulong*)first[0];
            kernels.Copy(shifted, key[i]);
            kernels.Inverse(shifted);
            // −1, 0, 1 become 0, 1, 2.
            kernels.AddScalar(shifted, shifted, 1);
            for (var k = 0; k < ring.Degree; k++)
            {
                wrong |= (2 - shifted[k]) | shifted[k] | (0 - (shifted[k] ^ reference[k]));
            }
        }

        GC.KeepAlive(key);
        return wrong >> 63 == 0;
    }
}
