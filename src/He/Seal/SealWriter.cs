using System.IO.Compression;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Seal;

/// <summary>
/// Writes objects as SEAL saves them; what was expanded from a seed is written with the seed. An object is one array, so keys of more than 2 GiB are
/// refused. Secret keys are not written here: see <see cref="SealSecretKeyFile"/>.
/// </summary>
public sealed class SealWriter(SealContext context)
{
    private readonly SealParameters _parameters = context.Parameters;
    private readonly RingContext _ring = context.Ring;

    public SealCompression Compression { get; init; }

    public SealVersion Version { get; init; } = SealVersion.V4;

    private SealSizes Sizes => new(_parameters, Version);

    public byte[] WriteParameters()
    {
        var bytes = new byte[SealSizes.Parameters(_parameters.Primes.Count)];
        new SealSink(bytes, Version).Parameters(_parameters);
        return Packed(bytes);
    }

    /// <exception cref="MisuseException">It is of other parameters.</exception>
    public byte[] Write(SealPlaintext plaintext)
    {
        SealMisuse.Own(_parameters, plaintext);
        var bytes = New(Sizes.Plaintext(plaintext.Level + 1));
        new SealSink(bytes, Version).Plaintext(_ring, plaintext.Polynomial, plaintext.Id, plaintext.Scale);
        return Packed(bytes);
    }

    /// <exception cref="MisuseException">It is of other parameters, or transparent: all parts but the first are zero, so anybody could read it.</exception>
    public byte[] Write(SealCiphertext ciphertext)
    {
        SealMisuse.Own(_parameters, ciphertext);
        if (ciphertext.Parts.Skip(1).All(IsZero))
        {
            throw new MisuseException($"The {ciphertext} is transparent: all parts but the first are zero, so it hides nothing. Add a fresh encryption of zero before it is written.");
        }

        var bytes = New(Sizes.Ciphertext(ciphertext.Level + 1, ciphertext.Size, ciphertext.Seed is not null));
        new SealSink(bytes, Version).Ciphertext(Sizes, _ring, ciphertext.Parts, ciphertext.Id, ciphertext.Scale, ciphertext.Seed);
        return Packed(bytes);
    }

    /// <exception cref="MisuseException">It is of other parameters.</exception>
    public byte[] Write(SealPublicKey key)
    {
        SealMisuse.Own(_parameters, "public key", key.Id);
        var bytes = New(Sizes.PublicKey(key.Seed is not null));
        var sink = new SealSink(bytes, Version);
        PublicKey(ref sink, key);
        return Packed(bytes);
    }

    /// <exception cref="MisuseException">They are of other parameters.</exception>
    public byte[] Write(SealRelinearisationKeys keys)
    {
        SealMisuse.Own(_parameters, "relinearisation keys", keys.Id);
        return Keys(keys.Count, i => keys.Keys[i]);
    }

    /// <exception cref="MisuseException">They are of other parameters.</exception>
    public byte[] Write(SealGaloisKeys keys)
    {
        SealMisuse.Own(_parameters, "Galois keys", keys.Id);
        return Keys(_parameters.Degree, i => keys.Keys.GetValueOrDefault((2 * i) + 1, []));
    }

    private unsafe bool IsZero(Polynomial part)
    {
        for (var i = 0; i < part.Limbs; i++)
        {
            if (new ReadOnlySpan<ulong>(part[i], _ring.Degree).ContainsAnyExcept(0UL))
            {
                return false;
            }
        }

        return true;
    }

    private static byte[] New(long size) => size <= Array.MaxLength
        ? new byte[size]
        : throw new MisuseException($"The object takes {size} bytes, more than the {Array.MaxLength} of an array. Write keys for fewer rotations at a time.");

    private byte[] Keys(int entries, Func<int, SealPublicKey[]> keyAt)
    {
        SealPublicKey[] all = [.. Enumerable.Range(0, entries).SelectMany(keyAt)];
        var bytes = New(Sizes.SwitchingKeys(entries, all.Length, all.Count(digit => digit.Seed is not null)));
        var sink = new SealSink(bytes, Version);
        sink.Header(bytes.Length);
        sink.Id(_parameters.KeyId);
        sink.Word((ulong)entries);
        for (var i = 0; i < entries; i++)
        {
            var key = keyAt(i);
            sink.Word((ulong)key.Length);
            foreach (var digit in key)
            {
                PublicKey(ref sink, digit);
            }
        }

        return Packed(bytes);
    }

    private void PublicKey(ref SealSink sink, SealPublicKey key) => sink.Ciphertext(Sizes, _ring, [key.B, key.A], _parameters.KeyId, 1, key.Seed);

    private byte[] Packed(byte[] bytes)
    {
        if (Compression == SealCompression.None)
        {
            return bytes;
        }

        using var packed = new MemoryStream();
        packed.SetLength(SealSizes.Header);
        packed.Position = SealSizes.Header;
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            zlib.Write(bytes, SealSizes.Header, bytes.Length - SealSizes.Header);
        }

        var result = packed.ToArray();
        new SealHeader(Version, (byte)SealCompression.Zlib, (ulong)result.Length).Write(result);
        return result;
    }
}
