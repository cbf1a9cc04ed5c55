using System.Security.Cryptography;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Wire;
using Xunit;

namespace ActorTrainer.Tests.He;

/// <summary>
/// Bytes of version 1, by their SHA-256. They may never change: a format that differs is a new version, which has lines of its own here, and version 1 is
/// still read.
/// </summary>
public sealed class WireGoldenTests
{
    /// <summary>A seeded ciphertext of the tiny set at its highest level.</summary>
    private const string Stored =
        "QVRIRQECAQICAAAAAAAAANABAAAAAAAAAAAAAAAAAAB3JR+1qRGZ/nEPinaVRg4tWKEsuWr+qu/Pu6fZKD81wQAAgAAAu89BAAAAAAAAAACrqqqqqiolQAAA" +
        "AAAAAPA/jCbUVKYi8y4QddhA7/lpHXsVQDbdngg1ZfxuUPfP7JqaO68ttPV6RYhYeTPg3DwPtd12VuZGsaMJidl65k6zP//ifvbzcq9uHUAkddubTW7+fr10" +
        "J82DV9QIe1BFiW9L6bc1INkHV49KwcbttAKtNXNJoOu2OcNuInYWTmkgjpGH6mvmacChfNr7eGrWX95L6G0du9TSagww2Pqetu0qouoj7fIq1xB6MVbuzvg+" +
        "ojoq+cM0iPLYOz3CNhhgc3DUBAc+D6Ua+kfsUYjicbj3OtTm12t5bIQt+KZ3F5S7/Asjnlps8Bq954M+3JLOfn+rT0gwxPwwidwpNQFm07BF5gO/JoRbPLiw" +
        "mihFyDwwzjy32Kw5kTMYaqxZXrLu4PpWzSXwEcRU0NxmhCc6tywubH4mS2VoO1o9UUTbm2+f/ZC8/eYY2LqypqctmuH/jw5kzFNXMod0pvm77HKcy/UwRa+P" +
        "4mFKkoe/FGSgpHO6zVw/rT/ZxqccS8xY0e9gmuE33cIe28P8Fyg2ZeGLkiXtWlqgrGfPjig3fewmMHPOIl/TwcXXTjLLbMZHiyYVaTdneb86+w==";

    [Theory]
    [InlineData(KernelChoice.Fastest)]
    [InlineData(KernelChoice.Integer)]
    public void Version_1_is_what_it_was(KernelChoice kernels)
    {
        using var wire = new WireFixture(kernels: kernels);

        Check("80a727c3d38e46dd33d71c097a8b0d3fdd968d8265a2e9d42cc6fefceb68013f", WireWriter.ToBytes(wire.Parameters));
        Check("a5df6da3d7a7e4bf6ef5ff9670bb35bffd9a9d6c9f32e5573362e693ab46d1a9", WireWriter.ToBytes(wire.Context, wire.PublicKey));
        Check("10b11e964ef1f6ebe6fffce1ac9c15317d6ce6baf6aeb488f4af7125ec1f657e", WireWriter.ToBytes(wire.Context, wire.Keys));
        Check("997f15b1f7d6207ab2065985393ebc1f7a0f35598913b73901a569d4eae84aa2", WireWriter.ToBytes(wire.Context, wire.Encrypt(2, seeded: true)));
        Check("59de68b576a610af5a4a269d92d9e3b2411776a358fd198033fa6a2cf4c61985", WireWriter.ToBytes(wire.Context, wire.Encrypt(1, seeded: false)));
        Check("44a6ef65f9f69e0cbcf734d3e16463e28c9a2f87cff73d5f74de05c33280f827", WireWriter.ToBytes(wire.Context, wire.Product(2)));
    }

    /// <summary>Also pins what a seed expands to: the negative of a seeded ciphertext has both parts in full.</summary>
    [Fact]
    public void An_object_of_version_1_is_read_to_the_same_residues()
    {
        using var wire = new WireFixture();
        var bytes = Convert.FromBase64String(Stored);

        using var stored = WireReader.ReadCiphertext(bytes, wire.Context);
        using var negated = wire.Evaluator.Negate(stored);

        Check("997f15b1f7d6207ab2065985393ebc1f7a0f35598913b73901a569d4eae84aa2", bytes);
        Check("997f15b1f7d6207ab2065985393ebc1f7a0f35598913b73901a569d4eae84aa2", WireWriter.ToBytes(wire.Context, stored));
        Check("8df1c9ad67d08de966676889926a9a3bcd9baa094d4b94ea7d24a499b0eb8694", WireWriter.ToBytes(wire.Context, negated));
    }

    private static void Check(string expected, byte[] bytes) => Assert.Equal((1, expected), (bytes[4], Convert.ToHexStringLower(SHA256.HashData(bytes))));
}
