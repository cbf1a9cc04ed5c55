using System.Buffers.Binary;
using System.IO.Compression;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Seal;
using Xunit;

namespace ActorTrainer.Tests.He.Seal;

/// <summary>One test for each way in which a file can fail to conform.</summary>
public sealed class SealReaderTests : IDisposable
{
    // Places in an uncompressed ciphertext of version 4.
    private const int Size = 8;
    private const int Id = 16;
    private const int Form = 48;
    private const int Parts = 49;
    private const int Degree = 57;
    private const int Primes = 65;
    private const int Scale = 73;
    private const int Correction = 81;
    private const int ArrayHeader = 89;
    private const int Words = 105;
    private const int Residues = 113;

    private readonly OurSet _ours = new(16, 40, 30, 30);
    private readonly SealReader _reader;
    private readonly SealWriter _writer;

    public SealReaderTests() => (_reader, _writer) = (new SealReader(_ours.Context), new SealWriter(_ours.Context));

    public static TheoryData<int, byte, string> WrongBytes => new()
    {
        { 0, 0x5F, "header" },
        { 2, 0x11, "header" },
        { 3, 5, "format 5.1" },
        { 4, 9, "format 4.9" },
        { 5, 2, "zstd" },
        { 5, 7, "way 7" },
        { 6, 1, "header" },
        { Id, 0xAA, "parms_id" },
        { Form, 0, "transformed form" },
        { Form, 2, "transformed form" },
        { ArrayHeader + 5, 1, "not compressed" },
        { ArrayHeader + 4, 0, "version" },
    };

    public static TheoryData<int, ulong, string> WrongWords => new()
    {
        { Size, 0, "says that it has 0" },
        { Size, 15, "says that it has 15" },
        { Size, ulong.MaxValue, "there are" },
        { Parts, 0, "parts; found 0" },
        { Parts, 1, "parts; found 1" },
        { Parts, 3, "words" },
        { Parts, 17, "parts; found 17" },
        { Parts, ulong.MaxValue, "parts" },
        { Degree, 32, "degree" },
        { Primes, 3, "number of primes" },
        { Scale, 0, "scale" },
        { Scale, 1, "scale" },
        { Scale, 0x8000000000000000, "scale" },
        { Scale, 0xC000000000000000, "scale" },
        { Scale, 0x7FF0000000000000, "scale" },
        { Scale, 0x7FF8000000000000, "scale" },
        { Correction, 2, "correction factor" },
        { ArrayHeader + 8, 0, "inner array" },
        { Words, 0, "found 0" },
        { Words, 1UL << 60, "words" },
        { Residues, 1UL << 40, "below it" },
        { Residues, ulong.MaxValue, "below it" },
    };

    public void Dispose() => _ours.Dispose();

    [Theory]
    [MemberData(nameof(WrongBytes))]
    public void A_ciphertext_with_a_wrong_byte_is_refused(int place, byte value, string reason)
    {
        var bytes = _writer.Write(_ours.A);
        bytes[place] = value;

        Refused(reason, () => _reader.ReadCiphertext(bytes));
    }

    [Theory]
    [MemberData(nameof(WrongWords))]
    public void A_ciphertext_with_a_wrong_word_is_refused(int place, ulong value, string reason)
    {
        var bytes = _writer.Write(_ours.A);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(place), value);

        Refused(reason, () => _reader.ReadCiphertext(bytes));
    }

    [Fact]
    public void A_residue_equal_to_its_prime_is_refused_and_one_below_is_read()
    {
        var bytes = _writer.Write(_ours.A);
        var q = _ours.Context.Parameters.Primes[0].Value;

        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(Residues), q - 1);
        _reader.ReadCiphertext(bytes).Dispose();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(Residues), q);

        Refused("below it", () => _reader.ReadCiphertext(bytes));
    }

    [Fact]
    public void Every_truncation_and_every_longer_file_is_refused()
    {
        var bytes = _writer.Write(_ours.B);

        for (var length = 0; length < bytes.Length; length++)
        {
            var cut = bytes[..length];
            Refused("", () => _reader.ReadCiphertext(cut));
            if (length >= 16)
            {
                BinaryPrimitives.WriteInt64LittleEndian(cut.AsSpan(8), length);
                Refused("", () => _reader.ReadCiphertext(cut));
            }
        }

        Refused("exactly one object", () => _reader.ReadCiphertext([.. bytes, 0]));
        Refused("last member", () => _reader.ReadCiphertext(Resized([.. bytes, 0])));
    }

    [Fact]
    public void A_seed_in_the_place_of_parts_is_for_two_parts_only()
    {
        var bytes = _writer.Write(_ours.B);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(Parts), 3);

        Refused("array of 3 parts", () => _reader.ReadCiphertext(bytes));
    }

    [Fact]
    public void An_unknown_generator_is_refused()
    {
        var bytes = _writer.Write(_ours.B);
        bytes[^(SealSeed.Bytes + 1)] = 3;

        Refused("expanded by", () => _reader.ReadCiphertext(bytes));
    }

    [Fact]
    public void Compressed_objects_are_read_and_their_damage_is_found()
    {
        var bytes = new SealWriter(_ours.Context) { Compression = SealCompression.Zlib }.Write(_ours.A);
        using var read = _reader.ReadCiphertext(bytes);

        Assert.Equal(_writer.Write(_ours.A), _writer.Write(read));
        Refused("last member", () => _reader.ReadCiphertext(Resized([.. bytes, 0])));
        for (var missing = 1; missing <= 8; missing++)
        {
            Refused(missing <= 4 ? "last member" : "", () => _reader.ReadCiphertext(Resized(bytes[..^missing])));
        }

        bytes[^1] ^= 1;
        Refused("inflated", () => _reader.ReadCiphertext(bytes));
    }

    [Fact]
    public void A_bomb_is_inflated_only_as_far_as_the_object_goes()
    {
        var members = new byte[1 << 26];
        _writer.Write(_ours.A).AsSpan(16).CopyTo(members);
        using var packed = new MemoryStream();
        packed.Write(_writer.Write(_ours.A), 0, 16);
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            zlib.Write(members);
        }

        var bomb = Resized(packed.ToArray());
        bomb[5] = 1;

        Refused("at most", () => _reader.ReadCiphertext(bomb));
        using var large = new OurSet(1024, 40, 30, 30);
        // Here the compressed size is within the bound, but the first word of the members is another degree's.
        Refused("parms_id", () => new SealReader(large.Context).ReadCiphertext(bomb));
    }

    [Fact]
    public void Keys_are_bounded_by_the_parameters()
    {
        var (relinearisation, galois) = (_writer.Write(_ours.Relinearisation), _writer.Write(_ours.Galois));

        foreach (var count in new ulong[] { 0, 2, 15, 1UL << 40, ulong.MaxValue })
        {
            Refused("", () => _reader.ReadRelinearisationKeys(With(relinearisation, 48, count)));
            Refused("number of places", () => _reader.ReadGaloisKeys(With(galois, 48, count)));
        }

        foreach (var digits in new ulong[] { 0, 1, 3, ulong.MaxValue })
        {
            Refused("digits", () => _reader.ReadRelinearisationKeys(With(relinearisation, 56, digits)));
        }

        Refused("digits", () => _reader.ReadGaloisKeys(With(galois, 56, 1)));
        Refused("key level", () => _reader.ReadGaloisKeys(With(galois, 16, 1)));
    }

    [Fact]
    public void A_key_of_another_scale_or_of_a_data_level_is_refused()
    {
        var bytes = _writer.Write(_ours.Public);

        Refused("scale of a key", () => _reader.ReadPublicKey(With(bytes, Scale, BitConverter.DoubleToUInt64Bits(2))));
        Refused("key level", () => _reader.ReadPublicKey(_writer.Write(_ours.A)));
        Refused("parms_id", () => _reader.ReadCiphertext(bytes));
        Refused("at most", () => _reader.ReadPlaintext(_ours.SecretFile));
    }

    [Fact]
    public void A_secret_key_must_be_ternary_and_the_same_for_every_prime()
    {
        var bytes = _ours.SecretFile;
        using var read = SealSecretKeyFile.Read(_ours.Context, bytes);

        for (var limb = 0; limb < 3; limb++)
        {
            var changed = With(bytes, 88 + (limb * 16 * 8), 1);
            Refused("−1, 0 and 1", () => SealSecretKeyFile.Read(_ours.Context, changed));
        }
    }

    [Fact]
    public void Parameters_that_are_not_of_CKKS_or_not_possible_are_refused()
    {
        var bytes = _writer.WriteParameters();

        foreach (var (place, value) in new (int, byte)[] { (16, 1), (17, 24), (17, 4), (19, 1), (25, 65), (49, 2), (55, 255), (bytes.Length - 1, 1) })
        {
            var changed = bytes.ToArray();
            changed[place] = value;
            Refused("", () => SealReader.ReadParameters(changed));
        }

        Assert.Equal(_ours.Context.Parameters.KeyId, SealReader.ReadParameters(bytes).KeyId);
    }

    [Fact]
    public void Files_of_other_parameters_are_refused()
    {
        using var other = new OurSet(16, 40, 30, 29);
        var reader = new SealReader(other.Context);

        Refused("no level", () => new SealReader(new OurSet(16, 39, 30, 30).Context).ReadCiphertext(_writer.Write(_ours.A)));
        Refused("key level", () => reader.ReadPublicKey(_writer.Write(_ours.Public)));
        Refused("key level", () => SealSecretKeyFile.Read(other.Context, _ours.SecretFile));
    }

    [Fact]
    public void A_transparent_ciphertext_is_not_written()
    {
        using var zero = _ours.Evaluator.Subtract(_ours.A, _ours.A);

        Assert.Contains("hides nothing", Assert.Throws<MisuseException>(() => _writer.Write(zero)).Message);
    }

    private static void Refused(string reason, Func<object> read) => Assert.Contains(reason, Assert.Throws<SealFormatException>(read).Message);

    private static byte[] With(byte[] bytes, int place, ulong value)
    {
        var changed = bytes.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(changed.AsSpan(place), value);
        return changed;
    }

    private static byte[] Resized(byte[] bytes) => With(bytes, Size, (ulong)bytes.Length);
}
