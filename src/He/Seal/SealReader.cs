using System.Security.Cryptography;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>
/// Reads SEAL's files, which may come from an enemy: an object either conforms to the parameters in every field or is refused. Sizes are bounded by the
/// parameters before anything is allocated, and every residue is below its prime. That the bytes are who says they are is not checked: SEAL's
/// format has no authentication.
/// </summary>
public sealed class SealReader(SealContext context)
{
    private readonly SealParameters _parameters = context.Parameters;
    private readonly RingContext _ring = context.Ring;

    /// <exception cref="SealFormatException">The bytes are no parameters of CKKS that are supported.</exception>
    public static SealParameters ReadParameters(ReadOnlySpan<byte> bytes) => SealSource.Open(bytes, "parameters", _ => SealSizes.Parameters(SealParameters.MaxPrimes), source =>
    {
        if (source.Byte("scheme") is var scheme && scheme != ParmsId.Ckks)
        {
            throw new SealFormatException($"The scheme is {ParmsId.Ckks} (CKKS); found {scheme}. BFV and BGV are not supported.");
        }

        var (degree, count) = (source.Word("degree"), source.Word("number of primes"));
        if (degree > SealParameters.MaxDegree || count > SealParameters.MaxPrimes)
        {
            throw new SealFormatException($"SEAL has degrees of up to {SealParameters.MaxDegree} and up to {SealParameters.MaxPrimes} primes; found {degree} and {count}.");
        }

        var primes = new ulong[count];
        foreach (ref var prime in primes.AsSpan())
        {
            prime = source.Inner("modulus", inner => inner.Word("modulus"));
        }

        if (source.Inner("modulus", inner => inner.Word("plain modulus")) is var plain && plain != 0)
        {
            throw new SealFormatException($"CKKS has the plain modulus 0; found {plain}.");
        }

        try
        {
            return new SealParameters((int)degree, primes);
        }
        catch (ParametersRefusedException e)
        {
            throw new SealFormatException(e.Message, e);
        }
    });

    /// <exception cref="SealFormatException">The bytes are no conforming plaintext of CKKS.</exception>
    public SealPlaintext ReadPlaintext(ReadOnlySpan<byte> bytes) => SealSource.Open(bytes, "plaintext", version => Sizes(version).Plaintext(_parameters.MaxLevel + 1), source =>
    {
        var id = source.Id();
        var limbs = Level(id) + 1;
        source.Word((ulong)Sizes(source.Version).Words(limbs), "number of coefficients");
        var scale = source.Scale();
        using var stage = new SealStage();
        return stage.Finish(new SealPlaintext(Array(source, stage.Add(_ring.NewPolynomial(limbs))), id, scale));
    });

    /// <summary>Expands the seed if there is one.</summary>
    /// <exception cref="SealFormatException">The bytes are no conforming ciphertext of CKKS.</exception>
    public SealCiphertext ReadCiphertext(ReadOnlySpan<byte> bytes) =>
        SealSource.Open(bytes, "ciphertext", version => Sizes(version).Ciphertext(_parameters.MaxLevel + 1, SealCiphertext.MaxSize, seeded: false), source =>
        {
            var id = source.Id();
            var level = Level(id);
            var (size, scale) = Shape(source, level + 1, SealCiphertext.MaxSize);
            var (parts, seed) = Parts(source, size, () => _ring.NewPolynomial(level + 1));
            return new SealCiphertext(parts, id, scale, seed);
        });

    /// <exception cref="SealFormatException">The bytes are no conforming public key of CKKS.</exception>
    public SealPublicKey ReadPublicKey(ReadOnlySpan<byte> bytes) => SealSource.Open(bytes, "public key", version => Sizes(version).PublicKey(seeded: false), PublicKey);

    /// <exception cref="SealFormatException">The bytes are no conforming relinearisation keys of CKKS.</exception>
    public SealRelinearisationKeys ReadRelinearisationKeys(ReadOnlySpan<byte> bytes) =>
        SealSource.Open(bytes, "relinearisation keys", version => SwitchingKeys(version, SealRelinearisationKeys.MaxCount, SealRelinearisationKeys.MaxCount), source =>
        {
            KeyLevel(source);
            if (source.Word("number of keys") is var count && count is 0 or > SealRelinearisationKeys.MaxCount)
            {
                throw new SealFormatException($"There are 1 to {SealRelinearisationKeys.MaxCount} relinearisation keys; found {count}.");
            }

            using var stage = new SealStage();
            var keys = new List<SealPublicKey[]>();
            while (keys.Count < (int)count)
            {
                keys.Add(SwitchingKey(source, stage, mayBeEmpty: false)!);
            }

            return stage.Finish(new SealRelinearisationKeys(keys, _parameters.KeyId));
        });

    /// <exception cref="SealFormatException">The bytes are no conforming Galois keys of CKKS.</exception>
    public SealGaloisKeys ReadGaloisKeys(ReadOnlySpan<byte> bytes) => SealSource.Open(bytes, "Galois keys", AllGaloisKeys, source =>
    {
        KeyLevel(source);
        source.Word((ulong)_parameters.Degree, "number of places for Galois keys");
        using var stage = new SealStage();
        var keys = new Dictionary<int, SealPublicKey[]>();
        for (var i = 0; i < _parameters.Degree; i++)
        {
            if (SwitchingKey(source, stage, mayBeEmpty: true) is { } key)
            {
                keys.Add((2 * i) + 1, key);
            }
        }

        return stage.Finish(new SealGaloisKeys(keys, _parameters.KeyId));
    });

    /// <summary>The members of a plaintext whose array fills this polynomial.</summary>
    internal Polynomial Array(SealSource source, Polynomial polynomial) => source.Inner("array", inner =>
    {
        inner.Word((ulong)polynomial.Limbs * (ulong)_parameters.Degree, "length of the array");
        inner.Residues(_ring, polynomial);
        return polynomial;
    });

    private SealSizes Sizes(SealVersion version) => new(_parameters, version);

    private long SwitchingKeys(SealVersion version, long entries, long keys) => Sizes(version).SwitchingKeys(entries, keys * Sizes(version).Digits, seeded: 0);

    private long AllGaloisKeys(SealVersion version) => SwitchingKeys(version, _parameters.Degree, _parameters.Degree);

    private int Level(ParmsId id) => _parameters.TryLevel(id, out var level)
        ? level
        : throw new SealFormatException($"The parms_id is of no level of {_parameters}. Read it under the parameters that it was made with.");

    private void KeyLevel(SealSource source)
    {
        if (source.Id() != _parameters.KeyId)
        {
            throw new SealFormatException($"The parms_id is not of the key level of {_parameters}. Read keys under the parameters that they were made with.");
        }

        if (!_parameters.HasSpecial)
        {
            throw new SealFormatException($"{_parameters} have no special prime, so they have no keys for switching.");
        }
    }

    /// <summary>Form, size, degree, primes, scale and correction factor.</summary>
    private (int Size, double Scale) Shape(SealSource source, int limbs, int maxSize)
    {
        if (source.Byte("form") is var form && form != 1)
        {
            throw new SealFormatException($"Ciphertexts of CKKS are in transformed form, 1; found {form}.");
        }

        if (source.Word("size") is var size && (size < SealCiphertext.MinSize || size > (ulong)maxSize))
        {
            throw new SealFormatException($"There are {SealCiphertext.MinSize} to {maxSize} parts; found {size}.");
        }

        source.Word((ulong)_parameters.Degree, "degree");
        source.Word((ulong)limbs, "number of primes");
        var scale = source.Scale();
        if (source.Version.HasCorrectionFactor)
        {
            source.Word(1, "correction factor");
        }

        return ((int)size, scale);
    }

    /// <summary>The array of a ciphertext, all parts or the first and a seed.</summary>
    private (Polynomial[] Parts, SealSeed? Seed) Parts(SealSource source, int size, Func<Polynomial> make)
    {
        using var stage = new SealStage();
        var parts = new List<Polynomial>();
        var seeded = source.Inner("array", inner =>
        {
            parts.Add(stage.Add(make()));
            var (words, one) = (inner.Word("length of the array"), (ulong)parts[0].Limbs * (ulong)_parameters.Degree);
            if (words != one * (ulong)size && (words != one || size != 2))
            {
                throw new SealFormatException($"An array of {size} parts has {one * (ulong)size} words{(size == 2 ? $", or {one} with a seed" : "")}; found {words}.");
            }

            inner.Residues(_ring, parts[0]);
            while (words != one && parts.Count < size)
            {
                // One after the other, so that memory is taken only as data comes.
                parts.Add(stage.Add(make()));
                inner.Residues(_ring, parts[^1]);
            }

            return words == one;
        });
        var seed = seeded ? source.Inner("seed", Seed) : null;
        if (seed is not null)
        {
            parts.Add(make());
            seed.Expand(_ring, parts[1]);
        }

        return stage.Finish<(Polynomial[], SealSeed?)>(([.. parts], seed));
    }

    private static SealSeed Seed(SealSource source)
    {
        var expansion = (SealExpansion)source.Byte("kind of random generator");
        if (expansion is not (SealExpansion.Blake2Xb or SealExpansion.Shake256) || (expansion == SealExpansion.Shake256 && !Shake256.IsSupported))
        {
            throw new SealFormatException($"Seeds are expanded by 1 (BLAKE2Xb) or, where the system has it, 2 (SHAKE256); found {(byte)expansion}.");
        }

        Span<byte> bytes = stackalloc byte[SealSeed.Bytes];
        source.Read(bytes, "seed");
        return new SealSeed(expansion, bytes);
    }

    private SealPublicKey PublicKey(SealSource source)
    {
        if (source.Id() != _parameters.KeyId)
        {
            throw new SealFormatException($"The parms_id is not of the key level of {_parameters}. Read keys under the parameters that they were made with.");
        }

        var (size, scale) = Shape(source, _parameters.Primes.Count, maxSize: 2);
        if (scale != 1)
        {
            throw new SealFormatException(FormattableString.Invariant($"The scale of a key is 1; found {scale}."));
        }

        var (parts, seed) = Parts(source, size, () => context.NewKeyPolynomial());
        return new SealPublicKey(parts[0], parts[1], _parameters.KeyId, seed);
    }

    private SealPublicKey[]? SwitchingKey(SealSource source, SealStage stage, bool mayBeEmpty)
    {
        var expected = _parameters.MaxLevel + 1;
        if (source.Word("number of digits") is var count && count != (ulong)expected && !(mayBeEmpty && count == 0))
        {
            throw new SealFormatException($"A switching key has {expected} digits{(mayBeEmpty ? " or none" : "")} under these parameters; found {count}.");
        }

        return count == 0 ? null : [.. Enumerable.Range(0, expected).Select(_ => stage.Add(source.Inner("public key", PublicKey)))];
    }
}
