using System.Numerics;
using ActorTrainer.He.Seal;
using Xunit;

namespace ActorTrainer.Tests.He.Seal;

/// <summary>Everything that the real Microsoft SEAL made is read, and made again bit for bit.</summary>
public sealed class SealGoldenTests
{
    public static TheoryData<string> Sets => ["wide", "narrow", "uneven", "secure"];

    public static TheoryData<string> InsecureSets => ["wide", "narrow", "uneven"];

    [Theory]
    [InlineData("wide", 1024, 60, 40, 40, 60)]
    [InlineData("narrow", 512, 30, 24, 24, 24, 29)]
    [InlineData("uneven", 256, 50, 50, 30)]
    [InlineData("secure", 4096, 40, 26, 40)]
    public void Primes_are_chosen_as_SEAL_does(string name, int degree, params int[] bits)
    {
        using var golden = new GoldenSet(name);

        var made = SealParameters.Create(degree, bits);

        Assert.Equal(golden.Context.Parameters.Primes, made.Primes);
        Assert.Equal(golden.Context.Parameters.KeyId, made.KeyId);
        Assert.Equal(name == "secure", made.IsSecure);
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Products_relinearisation_and_rescaling_are_bit_for_bit(string name)
    {
        using var golden = new GoldenSet(name);
        using var a = golden.Ciphertext("a");
        using var b = golden.Ciphertext("b-seeded");
        using var keys = golden.RelinearisationKeys();
        using var product = golden.Evaluator.Multiply(a, b);
        using var relinearised = golden.Evaluator.Relinearise(product, keys);

        Equal(golden, "relinearised", relinearised);
        Equal(golden, "rescaled", golden.Evaluator.Rescale(relinearised));
    }

    [Theory]
    [MemberData(nameof(InsecureSets))]
    public void Operations_without_keys_are_bit_for_bit(string name)
    {
        using var golden = new GoldenSet(name);
        using var a = golden.Ciphertext("a");
        using var b = golden.Ciphertext("b-seeded");
        using var y = golden.Plaintext("plain-y");
        var evaluator = golden.Evaluator;
        using var product = evaluator.Multiply(a, b);
        using var plainProduct = evaluator.Multiply(a, y);

        Equal(golden, "sum", evaluator.Add(a, b));
        Equal(golden, "difference", evaluator.Subtract(a, b));
        Equal(golden, "product", product);
        Equal(golden, "square", evaluator.Square(a));
        Equal(golden, "plain-product", plainProduct);
        Equal(golden, "switched", evaluator.ModSwitch(a));
        Equal(golden, "product-rescaled", evaluator.Rescale(product));
        if (name != "wide")
        {
            Equal(golden, "negated", evaluator.Negate(a));
            Equal(golden, "plain-sum", evaluator.Add(a, y));
            Equal(golden, "product-sum", evaluator.Add(product, plainProduct));
            Equal(golden, "product-difference", evaluator.Subtract(plainProduct, product));
        }
    }

    [Theory]
    [MemberData(nameof(InsecureSets))]
    public void Rotations_and_conjugation_are_bit_for_bit(string name)
    {
        using var golden = new GoldenSet(name);
        using var a = golden.Ciphertext("a");
        using var b = golden.Ciphertext("b-seeded");
        using var keys = golden.GaloisKeys();
        var evaluator = golden.Evaluator;
        using var low = evaluator.ModSwitch(a);

        Equal(golden, "rotated", evaluator.Rotate(b, 1, keys));
        Equal(golden, "rotated-right", evaluator.Rotate(a, -8, keys));
        Equal(golden, "rotated-twice", evaluator.Rotate(a, -7, keys));
        Equal(golden, "rotated-low", evaluator.Rotate(low, 1, keys));
        Equal(golden, "conjugated", evaluator.Conjugate(b, keys));
    }

    [Theory]
    [MemberData(nameof(InsecureSets))]
    public void A_program_one_level_down_is_bit_for_bit(string name)
    {
        using var golden = new GoldenSet(name);
        using var a = golden.Ciphertext("a");
        using var keys = golden.RelinearisationKeys();
        var evaluator = golden.Evaluator;
        using var square = evaluator.Square(a);
        using var relinearised = evaluator.Relinearise(square, keys);
        using var low = evaluator.Rescale(relinearised);
        using var power = evaluator.Multiply(low, low);

        Equal(golden, "square-low", power);
        Equal(golden, "relinearised-low", evaluator.Relinearise(power, keys));
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void What_SEAL_encrypted_is_decrypted_as_SEAL_does(string name)
    {
        using var golden = new GoldenSet(name);
        using var relinearised = golden.Ciphertext("relinearised");
        using var expected = golden.Plaintext("decrypted");
        using var decrypted = golden.Decryptor.Decrypt(relinearised);

        var decoded = golden.Encoder.Decode(decrypted);

        Assert.Equal(golden.Canonical(expected), golden.Canonical(decrypted));
        Close(golden.Numbers("decoded").Select(value => new Complex(value, 0)), decoded.Select(value => new Complex(value.Real, 0)), 1e-9);
        Close(golden.Numbers("x").Zip(golden.Numbers("y"), (x, y) => new Complex(x * y, 0)), decoded, Math.ScaleB(1, name == "wide" ? -20 : -8));
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void What_SEAL_encoded_is_decoded_and_encoded_to_the_same_coefficients_but_for_rounding(string name)
    {
        using var golden = new GoldenSet(name);
        using var expected = golden.Plaintext("plain-x");
        using var encoded = golden.Encoder.Encode(golden.Numbers("x"), expected.Level, expected.Scale);

        Close(golden.Numbers("x").Select(value => new Complex(value, 0)), golden.Encoder.Decode(expected), golden.Context.Parameters.Degree / expected.Scale);
        Assert.Equal(golden.Context.Parameters.MaxLevel, expected.Level);
        // Coefficients differ by one at most, so slots by N coefficients of that.
        Close(golden.Encoder.Decode(expected), golden.Encoder.Decode(encoded), golden.Context.Parameters.Degree / expected.Scale / 8);
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Files_of_SEAL_are_written_again_byte_for_byte(string name)
    {
        using var golden = new GoldenSet(name);
        using var publicKey = golden.PublicKey();
        using var relinearisation = golden.RelinearisationKeys();
        using var b = golden.Ciphertext("b-seeded");
        var writer = new SealWriter(golden.Context);
        var secret = new byte[SealSecretKeyFile.Bytes(golden.Context.Parameters)];

        SealSecretKeyFile.Write(golden.Context, golden.Secret, secret);

        Assert.Equal(golden.Bytes("parameters"), writer.WriteParameters());
        Assert.Equal(golden.Bytes("secret"), secret);
        Assert.Equal(Inflated(golden.Bytes("b-seeded")), writer.Write(b));
        Assert.Equal(Inflated(golden.Bytes("public")), writer.Write(publicKey));
        Assert.Equal(Inflated(golden.Bytes("relinearisation")), writer.Write(relinearisation));
        if (golden.Has("galois"))
        {
            using var galois = golden.GaloisKeys();
            Assert.Equal(Inflated(golden.Bytes("galois")), writer.Write(galois));
        }
    }

    [Fact]
    public void Default_primes_are_above_the_stricter_table_so_they_must_be_allowed()
    {
        foreach (var degree in new[] { 4096, 8192, 16384, 32768 })
        {
            var parameters = SealParameters.Default(degree);

            Assert.False(parameters.IsSecure);
            Assert.Throws<ActorTrainer.He.Parameters.ParametersRefusedException>(() => new SealContext(parameters));
        }
    }

    private static void Equal(GoldenSet golden, string file, SealCiphertext found)
    {
        using var expected = golden.Ciphertext(file);
        Assert.Equal(expected.Scale, found.Scale);
        Assert.Equal((expected.Level, expected.Size), (found.Level, found.Size));
        Assert.True(golden.Canonical(expected).AsSpan().SequenceEqual(golden.Canonical(found)), $"{file} differs from SEAL's.");
    }

    private static void Close(IEnumerable<Complex> expected, IEnumerable<Complex> found, double within) =>
        Assert.All(expected.Zip(found, (x, y) => (x - y).Magnitude), error => Assert.InRange(error, 0, within));

    private static byte[] Inflated(byte[] file)
    {
        if (file[5] == 0)
        {
            return file;
        }

        using var inflated = new MemoryStream();
        inflated.Write(file, 0, 16);
        using (var zlib = new System.IO.Compression.ZLibStream(new MemoryStream(file, 16, file.Length - 16), System.IO.Compression.CompressionMode.Decompress))
        {
            zlib.CopyTo(inflated);
        }

        var bytes = inflated.ToArray();
        bytes[5] = 0;
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), bytes.Length);
        return bytes;
    }
}
