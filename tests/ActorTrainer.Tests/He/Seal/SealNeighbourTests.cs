using System.Numerics;
using Xunit;

namespace ActorTrainer.Tests.He.Seal;

/// <summary>What the engine writes is read, computed with and decrypted by the real Microsoft SEAL; see golden/README.md.</summary>
public sealed class SealNeighbourTests : IDisposable
{
    private const double Tolerance = 1.0 / (1 << 16);

    private readonly OurSet _ours = new(256, 40, 30, 30, 40);

    public SealNeighbourTests()
    {
        if (Environment.GetEnvironmentVariable("SEAL_GOLDEN_WRITE") is { Length: > 0 } folder)
        {
            foreach (var (name, bytes) in _ours.Files())
            {
                File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "ours")).FullName, name + ".seal"), bytes);
            }
        }
    }

    public void Dispose() => _ours.Dispose();

    [Fact]
    public void The_files_that_SEAL_read_are_those_that_the_engine_writes()
    {
        using var golden = new GoldenSet("ours");

        foreach (var (name, bytes) in _ours.Files().Where(file => file.Key != "plain-x"))
        {
            Assert.True(golden.Bytes(name).AsSpan().SequenceEqual(bytes), $"{name} is written otherwise than when SEAL read it. Make the golden files again.");
        }

        // Compressed bytes may change with the compressor, what is in them may not.
        using var plain = golden.Plaintext("plain-x");
        Assert.Equal(golden.Canonical(plain), golden.Canonical(_ours.PlainX));
    }

    [Fact]
    public void SEAL_decrypts_what_the_engine_encrypted()
    {
        using var golden = new GoldenSet("ours");

        Close(_ours.X, golden.Numbers("decoded-a"));
        Close(_ours.Y, golden.Numbers("decoded-b"));
        Close(_ours.X.Zip(_ours.Y, (x, y) => x * y), golden.Numbers("decoded-product"));
    }

    [Fact]
    public void SEAL_computes_the_same_with_the_engine_s_keys()
    {
        using var golden = new GoldenSet("ours");
        using var product = _ours.Evaluator.Multiply(_ours.A, _ours.B);
        using var relinearised = _ours.Evaluator.Relinearise(product, _ours.Relinearisation);
        using var rescaled = _ours.Evaluator.Rescale(relinearised);
        using var decrypted = golden.Decryptor.Decrypt(rescaled);
        using var rotated = _ours.Evaluator.Rotate(_ours.A, 3, _ours.Galois);
        using var sum = _ours.Evaluator.Add(_ours.A, _ours.PlainX);
        using var bySeal = golden.Plaintext("decrypted");

        Assert.Equal(Canonical(golden, "product"), golden.Canonical(rescaled));
        Assert.Equal(Canonical(golden, "rotated"), golden.Canonical(rotated));
        Assert.Equal(Canonical(golden, "plain-sum"), golden.Canonical(sum));
        Assert.Equal(golden.Canonical(bySeal), golden.Canonical(decrypted));
    }

    [Fact]
    public void The_engine_decrypts_what_SEAL_encrypted_with_the_engine_s_public_key()
    {
        using var golden = new GoldenSet("ours");
        using var ciphertext = golden.Ciphertext("encrypted-by-seal");
        using var decrypted = golden.Decryptor.Decrypt(ciphertext);

        Close(_ours.X, golden.Encoder.Decode(decrypted).Select(value => value.Real));
    }

    private static byte[] Canonical(GoldenSet golden, string file)
    {
        using var ciphertext = golden.Ciphertext(file);
        return golden.Canonical(ciphertext);
    }

    /// <summary>node-seal shows real parts only.</summary>
    private static void Close(IEnumerable<Complex> expected, IEnumerable<double> found)
    {
        Assert.Equal(expected.Count(), found.Count());
        Assert.All(expected.Zip(found, (x, y) => Math.Abs(x.Real - y)), error => Assert.InRange(error, 0, Tolerance));
    }
}
