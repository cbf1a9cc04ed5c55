using System.Buffers.Binary;
using System.IO.Compression;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Seal;
using Xunit;

namespace ActorTrainer.Tests.He.Seal;

/// <summary>
/// Mutated files of every kind: each is refused with the one exception, or is a conforming object that is written again as the same bytes. Neither takes
/// more memory than an object of the parameters does.
/// </summary>
public sealed unsafe class SealFuzzTests : IDisposable
{
    private const int Inputs = 200_000;
    private const int ManagedBound = 1 << 16;

    private static readonly ulong[] Words =
    [
        0, 1, 2, 3, 4, 15, 16, 17, 32, 48, 64, 255, 1 << 15, 1 << 16, 1UL << 31, 1UL << 32, 1UL << 60, 1UL << 63, ulong.MaxValue, 0x3FF0000000000000, 0x7FF0000000000000,
    ];

    private readonly OurSet _ours = new(16, 40, 30, 30);
    private readonly SealReader _reader;
    private readonly byte[][] _all;

    public SealFuzzTests()
    {
        _reader = new SealReader(_ours.Context);
        string[] kinds = ["parameters", "plaintext", "ciphertext", "public", "relinearisation", "galois", "secret"];
        _all = [.. kinds.Select(Corpus).SelectMany(files => files.Quick.Concat(files.Slow))];
    }

    public void Dispose() => _ours.Dispose();

    [Fact]
    public void Mutated_parameters() => Fuzz("parameters", 0, bytes => SealReader.ReadParameters(bytes), parameters =>
    {
        Assert.All(parameters.Primes, q => Assert.True(Primes.IsPrime(q.Value) && q.Value % (2 * (ulong)parameters.Degree) == 1 && q.Value >> 60 == 0));
        Assert.Equal(parameters.Primes.Count, parameters.Primes.Distinct().Count());
    }, (parameters, version) =>
    {
        var bytes = new byte[SealSizes.Parameters(parameters.Primes.Count)];
        new SealSink(bytes, version).Parameters(parameters);
        return bytes;
    });

    [Fact]
    public void Mutated_plaintexts() => Fuzz("plaintext", 2, bytes => _reader.ReadPlaintext(bytes), plaintext =>
    {
        Conforms(plaintext.Polynomial, plaintext.Level + 1);
        Assert.Equal(_ours.Context.Parameters.IdAt(plaintext.Level), plaintext.Id);
        Assert.True(double.IsNormal(plaintext.Scale) && plaintext.Scale > 0);
    }, (plaintext, version) => Writer(version).Write(plaintext));

    [Fact]
    public void Mutated_ciphertexts() => Fuzz("ciphertext", 2 * 16, bytes => _reader.ReadCiphertext(bytes), ciphertext =>
    {
        Assert.InRange(ciphertext.Size, 2, 16);
        Assert.Equal(_ours.Context.Parameters.IdAt(ciphertext.Level), ciphertext.Id);
        Assert.True(double.IsNormal(ciphertext.Scale) && ciphertext.Scale > 0 && (ciphertext.Seed is null || ciphertext.Size == 2));
        Assert.All(ciphertext.Parts, part => Conforms(part, ciphertext.Level + 1));
    }, (ciphertext, version) => Writer(version).Write(ciphertext));

    [Fact]
    public void Mutated_public_keys() => Fuzz("public", 2 * 3, bytes => _reader.ReadPublicKey(bytes), Conforms, (key, version) => Writer(version).Write(key));

    [Fact]
    public void Mutated_relinearisation_keys() => Fuzz("relinearisation", 14 * 2 * 2 * 3, bytes => _reader.ReadRelinearisationKeys(bytes), keys =>
    {
        Assert.InRange(keys.Count, 1, 14);
        Assert.All(keys.Keys, Conforms);
    }, (keys, version) => Writer(version).Write(keys));

    [Fact]
    public void Mutated_Galois_keys() => Fuzz("galois", 16 * 2 * 2 * 3, bytes => _reader.ReadGaloisKeys(bytes), keys =>
    {
        Assert.All(keys.Elements, element => Assert.True(element is > 0 and < 32 && (element & 1) != 0));
        Assert.All(keys.Keys.Values, Conforms);
    }, (keys, version) => Writer(version).Write(keys));

    [Fact]
    public void Mutated_secret_keys() => Fuzz("secret", 3 + 2, bytes => SealSecretKeyFile.Read(_ours.Context, bytes), key => Conforms(key.Polynomial, 3), (key, version) =>
    {
        var bytes = new byte[SealSecretKeyFile.Bytes(_ours.Context.Parameters)];
        SealSecretKeyFile.Write(_ours.Context, key, bytes, version);
        return bytes;
    });

    private delegate T Reader<T>(ReadOnlySpan<byte> bytes);

    private SealWriter Writer(SealVersion version) => new(_ours.Context) { Version = version };

    /// <param name="limbs">Most limbs of an object, each of which takes a page of native memory.</param>
    private void Fuzz<T>(string kind, int limbs, Reader<T> read, Action<T> conforms, Func<T, SealVersion, byte[]> write)
        where T : class
    {
        var random = new Random(kind.Length);
        var (quick, slow) = Corpus(kind);
        Assert.All(quick.Concat(slow), bytes => (read(bytes) as IDisposable)?.Dispose());
        var (accepted, refused, most, native) = (0, 0, 0L, _ours.Context.Ring.Pool.Bytes);
        for (var i = 0; i < Inputs; i++)
        {
            var bytes = Mutation(random.Next(8) == 0 ? slow[random.Next(slow.Length)] : quick[random.Next(quick.Length)], random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            T? value = null;
            try
            {
                value = read(bytes);
                most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
                accepted++;
            }
            catch (SealFormatException)
            {
                most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
                refused++;
            }

            if (value is not null)
            {
                conforms(value);
                var plain = bytes[5] == 0 ? bytes : Inflated(bytes);
                Assert.True(plain.AsSpan().SequenceEqual(write(value, new SealVersion(bytes[3], bytes[4]))), "An accepted object is not what was read.");
                (value as IDisposable)?.Dispose();
            }
        }

        Assert.True(accepted > 100 && refused > Inputs / 4, $"{accepted} accepted, {refused} refused: the mutations test too little.");
        Assert.InRange(most, 0, ManagedBound);
        Assert.InRange(_ours.Context.Ring.Pool.Bytes - native, 0, (long)(limbs + 8) * _ours.Context.Ring.Pool.StrideBytes);
    }

    /// <summary>Good files of a kind; slow are those to inflate or with seeds to expand.</summary>
    private (byte[][] Quick, byte[][] Slow) Corpus(string kind)
    {
        SealWriter[] writers = [new(_ours.Context), new(_ours.Context) { Version = SealVersion.V3 }];
        var zlib = new SealWriter(_ours.Context) { Compression = SealCompression.Zlib };
        using var product = _ours.Evaluator.Multiply(_ours.A, _ours.B);
        using var low = _ours.Evaluator.ModSwitch(_ours.A);
        var plainDigits = Array.ConvertAll(_ours.Relinearisation.Keys[0], Unseeded);
        var relinearisation = new SealRelinearisationKeys([plainDigits], _ours.Context.Parameters.KeyId);
        var galois = new SealGaloisKeys(new Dictionary<int, SealPublicKey[]> { [3] = plainDigits }, _ours.Context.Parameters.KeyId);
        return kind switch
        {
            "parameters" => ([.. writers.Select(writer => writer.WriteParameters())], [zlib.WriteParameters()]),
            "plaintext" => ([.. writers.Select(writer => writer.Write(_ours.PlainX))], [zlib.Write(_ours.PlainX)]),
            "ciphertext" => (
                [.. writers.SelectMany(writer => new[] { writer.Write(_ours.A), writer.Write(product), writer.Write(low) })],
                [zlib.Write(_ours.A), zlib.Write(product), writers[0].Write(_ours.B)]),
            "public" => ([.. writers.Select(writer => writer.Write(Unseeded(_ours.Public)))], [zlib.Write(_ours.Public), writers[0].Write(_ours.Public)]),
            "relinearisation" => ([.. writers.Select(writer => writer.Write(relinearisation))], [zlib.Write(relinearisation), writers[0].Write(_ours.Relinearisation)]),
            "galois" => ([.. writers.Select(writer => writer.Write(galois))], [zlib.Write(galois), writers[0].Write(_ours.Galois)]),
            _ => ([_ours.SecretFile], [Packed(_ours.SecretFile)]),
        };
    }

    private static SealPublicKey Unseeded(SealPublicKey key) => new(key.B, key.A, key.Id, null);

    private byte[] Mutation(byte[] original, Random random)
    {
        // Half of the compressed files are damaged inside, where the checksum does not tell.
        if (original[5] == 1 && random.Next(2) == 0)
        {
            return Packed(Mutated(Inflated(original), random));
        }

        return Mutated(original, random);
    }

    private byte[] Mutated(byte[] original, Random random)
    {
        byte[] bytes;
        switch (random.Next(8))
        {
            case 0:
                bytes = original[..random.Next(original.Length)];
                break;
            case 1:
                var other = _all[random.Next(_all.Length)];
                bytes = [.. original.AsSpan(0, random.Next(original.Length)), .. other.AsSpan(random.Next(other.Length))];
                break;
            case 2:
                var at = random.Next(original.Length);
                bytes = [.. original.AsSpan(0, at), .. original.AsSpan(Math.Max(0, at - random.Next(64)))];
                break;
            case 3 or 4:
                bytes = original.ToArray();
                BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(random.Next(Math.Min(bytes.Length - 8, 160))), Words[random.Next(Words.Length)] + (ulong)random.Next(2));
                break;
            default:
                bytes = original.ToArray();
                for (var flips = random.Next(1, 4); flips > 0; flips--)
                {
                    var place = random.Next(2) == 0 ? random.Next(bytes.Length) : random.Next(Math.Min(bytes.Length, 160));
                    bytes[place] ^= (byte)(1 << random.Next(8));
                }

                break;
        }

        // So that lengths do not always give changes away.
        if (bytes.Length >= 16 && random.Next(4) != 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), bytes.Length);
        }

        return bytes;
    }

    private static byte[] Packed(byte[] bytes)
    {
        if (bytes.Length < 16)
        {
            return bytes;
        }

        using var packed = new MemoryStream();
        packed.Write(bytes, 0, 16);
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(bytes, 16, bytes.Length - 16);
        }

        var result = packed.ToArray();
        result[5] = 1;
        BinaryPrimitives.WriteInt64LittleEndian(result.AsSpan(8), result.Length);
        return result;
    }

    private static byte[] Inflated(byte[] bytes)
    {
        using var inflated = new MemoryStream();
        inflated.Write(bytes, 0, 16);
        using var zlib = new ZLibStream(new MemoryStream(bytes, 16, bytes.Length - 16), CompressionMode.Decompress);
        zlib.CopyTo(inflated);
        var result = inflated.ToArray();
        result[5] = 0;
        BinaryPrimitives.WriteInt64LittleEndian(result.AsSpan(8), result.Length);
        return result;
    }

    private void Conforms(SealPublicKey[] digits)
    {
        Assert.Equal(2, digits.Length);
        Assert.All(digits, Conforms);
    }

    private void Conforms(SealPublicKey key)
    {
        Conforms(key.B, 3);
        Conforms(key.A, 3);
    }

    private void Conforms(Polynomial polynomial, int limbs)
    {
        Assert.Equal(limbs, polynomial.Limbs);
        for (var i = 0; i < limbs; i++)
        {
            var q = _ours.Context.Parameters.Primes[i].Value;
            Assert.False(new ReadOnlySpan<ulong>(polynomial[i], 16).ContainsAnyInRange(q, ulong.MaxValue));
        }
    }
}
