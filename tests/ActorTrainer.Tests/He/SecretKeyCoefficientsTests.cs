using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed unsafe class SecretKeyCoefficientsTests
{
    [Theory]
    [InlineData(KernelChoice.Fastest)]
    [InlineData(KernelChoice.Integer)]
    public void A_key_comes_back_with_every_residue(KernelChoice kernels)
    {
        using var wire = new WireFixture(kernels: kernels);
        var bytes = new byte[SecretKeyCoefficients.Bytes(wire.Parameters)];
        SecretKeyCoefficients.Write(wire.Context, wire.Secret, bytes);

        using var back = SecretKeyCoefficients.Read(wire.Context, bytes);

        Assert.Equal(8, bytes.Length);
        var ring = wire.Context.Ring;
        for (var i = 0; i < back.Polynomial.Limbs; i++)
        {
            Assert.Equal(Residues(ring, wire.Secret.Polynomial, i), Residues(ring, back.Polynomial, i));
        }
    }

    [Fact]
    public void All_kernels_write_the_same_bytes()
    {
        using var doubles = new WireFixture();
        using var integers = new WireFixture(kernels: KernelChoice.Integer);

        Assert.Equal(Bytes(doubles), Bytes(integers));
    }

    [Fact]
    public void What_is_no_key_is_refused()
    {
        using var wire = new WireFixture();
        var bytes = Bytes(wire);
        bytes[3] |= 3 << 4;

        Assert.Throws<FormatException>(() => SecretKeyCoefficients.Read(wire.Context, bytes));
        Assert.Throws<ArgumentException>(() => SecretKeyCoefficients.Read(wire.Context, bytes.AsSpan(1)));
        Assert.Throws<ArgumentException>(() => SecretKeyCoefficients.Write(wire.Context, wire.Secret, new byte[9]));
        using var other = new CkksContext(new CkksParameters(ParameterSets.ToyL15));
        Assert.Throws<MisuseException>(() => SecretKeyCoefficients.Write(other, wire.Secret, new byte[512]));
    }

    [Theory]
    [InlineData(KernelChoice.Fastest)]
    [InlineData(KernelChoice.Integer)]
    public void A_public_key_matches_its_own_secret_and_no_other(KernelChoice kernels)
    {
        using var wire = new WireFixture(kernels: kernels);
        using var generator = new KeyGenerator(wire.Context, HeFixture.FixedSeed(9), allowInsecure: true);
        using var other = generator.NewSecretKey();

        Assert.True(SecretKeyCoefficients.Match(wire.Context, wire.Secret, wire.PublicKey));
        Assert.False(SecretKeyCoefficients.Match(wire.Context, other, wire.PublicKey));
    }

    [Fact]
    public void Keys_written_one_by_one_have_the_bytes_of_the_whole_set()
    {
        using var wire = new WireFixture();
        using var stream = new MemoryStream();
        var asked = new List<KeyRequest>();

        WireWriter.Write(stream, wire.Context, wire.Requests, request =>
        {
            asked.Add(request);
            // Each call gives a set that the writer frees.
            return WireReader.ReadEvaluationKeys(WireWriter.ToBytes(wire.Context, wire.Keys, [request]), wire.Context);
        });

        Assert.Equal(WireWriter.ToBytes(wire.Context, wire.Keys), stream.ToArray());
        Assert.Equal(wire.Requests.OrderBy(request => request.Element), asked);
    }

    private static byte[] Bytes(WireFixture wire)
    {
        var bytes = new byte[SecretKeyCoefficients.Bytes(wire.Parameters)];
        SecretKeyCoefficients.Write(wire.Context, wire.Secret, bytes);
        return bytes;
    }

    private static ulong[] Residues(RingContext ring, Polynomial polynomial, int limb)
    {
        var residues = new ulong[ring.Degree];
        fixed (ulong* target = residues)
        {
            ring.Of(polynomial, limb).ToResidues(target, polynomial[limb]);
        }

        return residues;
    }
}
