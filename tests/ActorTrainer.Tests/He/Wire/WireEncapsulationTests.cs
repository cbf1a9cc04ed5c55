using System.Buffers.Binary;
using System.Security.Cryptography;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using Xunit;

namespace ActorTrainer.Tests.He;

/// <summary>Keys to the sparse secret and back on the wire.</summary>
public sealed class WireEncapsulationTests : IDisposable
{
    private readonly WireFixture _wire = new();

    /// <summary>As of the first version that has them; see <see cref="WireGoldenTests"/>.</summary>
    [Theory]
    [InlineData(KernelChoice.Fastest)]
    [InlineData(KernelChoice.Integer)]
    public void Version_1_is_what_it_was(KernelChoice kernels)
    {
        using var wire = new WireFixture(kernels: kernels);

        Assert.Equal("18d78e81158d465f76fc0a33a9e4da4a187733cc7c5152db4da018afe649ad5c", Convert.ToHexStringLower(SHA256.HashData(WireWriter.ToBytes(wire.Context, wire.Encapsulation()))));
    }

    [Fact]
    public void Keys_have_the_size_that_is_told_before_and_come_back_the_same_from_bytes_and_streams()
    {
        var bytes = WireWriter.ToBytes(_wire.Context, _wire.Encapsulation());
        using var stream = new MemoryStream();

        using var keys = WireReader.ReadEncapsulationKeys(bytes, _wire.Context);
        WireWriter.Write(stream, _wire.Context, keys);
        stream.Position = 0;
        using var again = WireReader.ReadEncapsulationKeys(stream, _wire.Context);

        Assert.Equal(WireSize.EncapsulationKeys(_wire.Parameters), bytes.Length);
        Assert.Equal(bytes, stream.ToArray());
        Assert.Equal(bytes, WireWriter.ToBytes(_wire.Context, again));
        Assert.Equal((2, 2), (keys.SparseB.Limbs, keys.SparseA.Limbs));
    }

    /// <summary>Header, two seeds, b mod q₀ and p₀, b mod all 37 primes, checksum.</summary>
    [Fact]
    public void At_full_size_they_take_fifteen_megabytes()
    {
        const long Limb42 = 65536 / 8 * 42, Limb49 = 65536 / 8 * 49;

        Assert.Equal(64 + 64 + (2 * Limb49) + (21 * Limb49) + (17 * Limb42) + 4, WireSize.EncapsulationKeys(new CkksParameters(ParameterSets.B16)));
    }

    [Theory]
    [InlineData(KernelChoice.Fastest)]
    [InlineData(KernelChoice.Integer)]
    public void A_node_bootstraps_with_the_keys_that_it_was_sent(KernelChoice kernels)
    {
        using var owner = new CkksContext(new CkksParameters(ParameterSets.Toy with { LogDegree = 7 }));
        using var generator = new KeyGenerator(owner, HeFixture.FixedSeed(1), allowInsecure: true);
        using var secret = generator.NewSecretKey();
        var bootstrapper = new Bootstrapper(owner.Parameters, BootstrapShape.For(owner.Parameters, 8));
        using var made = generator.NewEvaluationKeys(secret, bootstrapper.Requests());
        using var sparse = generator.NewEncapsulationKeys(secret);
        using var encryptor = new Encryptor(owner, HeFixture.FixedSeed(2));
        using var message = new Encoder(owner).Encode([0.5, -0.25], bootstrapper.InputLevel, owner.Parameters.ScaleAt(bootstrapper.InputLevel));
        using var fresh = encryptor.Encrypt(message, secret);

        using var node = new CkksContext(new CkksParameters(ParameterSets.Toy with { LogDegree = 7 }), 1, kernels);
        using var keys = WireReader.ReadEvaluationKeys(WireWriter.ToBytes(owner, made), node);
        keys.Add(WireReader.ReadEncapsulationKeys(WireWriter.ToBytes(owner, sparse), node));
        using var low = WireReader.ReadCiphertext(WireWriter.ToBytes(owner, fresh), node);
        using var lifted = bootstrapper.Single(new Evaluator(new CkksBackend(node, keys)), low);
        using var back = WireReader.ReadCiphertext(WireWriter.ToBytes(node, lifted), owner);

        var slots = new Decryptor(owner, secret).Slots(back);
        Assert.All(Enumerable.Range(0, slots.Length), i => Assert.Equal(i % 2 == 0 ? 0.5 : -0.25, slots[i].Real, 1e-6));
    }

    [Theory]
    [InlineData(5, 1, 4, "found EvaluationKeys")]
    [InlineData(6, 1, 0, "seeded keys to a sparse secret")]
    [InlineData(7, 1, 3, "seeded keys to a sparse secret")]
    [InlineData(8, 2, 1, "seeded keys to a sparse secret")]
    [InlineData(12, 4, 1, "seeded keys to a sparse secret")]
    [InlineData(16, 8, 0, "payload")]
    [InlineData(32, 8, 1, "parameters InsecureTestWire")]
    [InlineData(96, 8, -1L, "residues below")]
    public void Keys_with_one_wrong_field_are_refused_for_it(int at, int width, long value, string reason)
    {
        var bytes = WireWriter.ToBytes(_wire.Context, _wire.Encapsulation());
        Span<byte> word = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(word, value);
        word[..width].CopyTo(bytes.AsSpan(at));
        WireConformance.FixChecksum(bytes);
        var native = _wire.Context.Ring.Pool.BytesInUse;

        var refusal = Assert.Throws<WireFormatException>(() => WireReader.ReadEncapsulationKeys(bytes, _wire.Context));

        Assert.Contains(reason, refusal.Message);
        Assert.NotEmpty(refusal.Remedy);
        Assert.Equal(native, _wire.Context.Ring.Pool.BytesInUse);
    }

    [Fact]
    public void Keys_of_other_parameters_are_not_written_and_a_limit_holds_before_anything_is_read()
    {
        using var other = new WireFixture(WireFixture.Tiny with { Chain = [new(40, 1, "message"), new(31, 2, "products")] });
        var bytes = WireWriter.ToBytes(_wire.Context, _wire.Encapsulation());

        Assert.Throws<MisuseException>(() => WireWriter.ToBytes(_wire.Context, other.Encapsulation()));
        Assert.Contains("at most 100 bytes", Assert.Throws<WireFormatException>(() => WireReader.ReadEncapsulationKeys(bytes, _wire.Context, new WireLimits { MaxBytes = 100 })).Message);
    }

    public void Dispose() => _wire.Dispose();
}
