using System.Security.Cryptography;
using System.Text;
using ActorTrainer.He.Seal;
using Xunit;

namespace ActorTrainer.Tests.He.Seal;

public sealed class Blake2bTests
{
    private static readonly byte[] Counting = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];

    [Fact]
    public void The_hash_of_abc_is_that_of_RFC_7693()
    {
        var digest = new byte[64];

        Blake2b.Hash(Encoding.ASCII.GetBytes("abc"), [], digest);

        Assert.Equal("BA80A53F981C4D0D6A2797B69F12F6E94C212F14685AC4B74B12BB6FDBFFA2D17D87C5392AAB792DC252D5DE4533CC9518D38AA8DBF1925AB92386EDD4009923", Convert.ToHexString(digest));
    }

    /// <summary>The published vectors of BLAKE2b (inputs of 0 to 255 counting bytes, without and with the counting key of 64), as one hash over all of them.</summary>
    [Theory]
    [InlineData(0, "edb6025a7aba90e4ad1d5ccfc7485d26f988929ca564b1897e33d43a901efba2")]
    [InlineData(64, "1ea7031a5a7e30868be784ec976e5b9677f27f22079303b158623d277187d4b0")]
    public void Hashes_are_those_of_the_published_vectors(int keyBytes, string expected)
    {
        var all = new byte[256 * 64];

        for (var length = 0; length < 256; length++)
        {
            Blake2b.Hash(Counting.AsSpan(0, length), Counting.AsSpan(0, keyBytes), all.AsSpan(64 * length, 64));
        }

        Assert.Equal(expected, Convert.ToHexStringLower(SHA256.HashData(all)));
    }

    /// <summary>The published vectors of BLAKE2Xb: 256 counting bytes to outputs of 1 to 256 bytes.</summary>
    [Theory]
    [InlineData(0, "8283c95c077bc1a508d5e5d3361b6a2f260fa9fb72187a02bd1016185927a4ca")]
    [InlineData(64, "7ae7aa88bcdb15c28e05d22b334cd653ba9fd3c5478ab3fbfde0340d31781bd7")]
    public void Extended_outputs_are_those_of_the_published_vectors(int keyBytes, string expected)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        for (var length = 1; length <= 256; length++)
        {
            var output = new byte[length];
            Blake2b.Expand(Counting, Counting.AsSpan(0, keyBytes), output);
            all.AppendData(output);
        }

        Assert.Equal(expected, Convert.ToHexStringLower(all.GetHashAndReset()));
    }
}
