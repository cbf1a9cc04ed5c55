using System.Buffers.Binary;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class WireRefusalTests : IDisposable
{
    private readonly WireFixture _wire = new();

    /// <summary>Field of the header or payload, its width, a value that it must not have, and what the refusal speaks of.</summary>
    [Theory]
    [InlineData(0, 1, 'B', "'ATHE'")]
    [InlineData(4, 1, 2, "version 1")]
    [InlineData(4, 1, 0, "version 1")]
    [InlineData(5, 1, 3, "found PublicKey")]
    [InlineData(5, 1, 9, "found kind 9")]
    [InlineData(6, 1, 2, "form 0 or 1")]
    [InlineData(6, 1, 1, "payload")]
    [InlineData(7, 1, 1, "2 parts")]
    [InlineData(7, 1, 4, "2 parts")]
    [InlineData(7, 1, 3, "payload")]
    [InlineData(8, 2, 1, "payload")]
    [InlineData(8, 2, 3, "a level up to 2")]
    [InlineData(10, 2, 1, "zeros")]
    [InlineData(12, 4, 1, "no count")]
    [InlineData(16, 8, 0, "payload")]
    [InlineData(16, 8, -1, "payload")]
    [InlineData(24, 8, 1, "zeros")]
    [InlineData(32, 8, 1, "parameters InsecureTestWire")]
    [InlineData(64, 8, 0L, "a scale that is finite")]
    [InlineData(64, 8, 1L, "a scale that is finite")]
    [InlineData(64, 8, 0x7FF0000000000000L, "a scale that is finite")]
    [InlineData(64, 8, 0x7FF8000000000000L, "a scale that is finite")]
    [InlineData(64, 8, unchecked((long)0xC270000000000000), "a scale that is finite")]
    [InlineData(64, 8, 0x3FE0000000000000L, "a scale from 1 to")]
    [InlineData(64, 8, 0x4640000000000000L, "a scale from 1 to")]
    [InlineData(72, 8, 0x3FF0000000000000L, "second double")]
    [InlineData(72, 8, 0x7FF8000000000000L, "second double")]
    [InlineData(80, 8, 0x7FF0000000000000L, "a variance and a magnitude")]
    [InlineData(80, 8, unchecked((long)0xBFF0000000000000), "a variance and a magnitude")]
    [InlineData(88, 8, 0x7FF8000000000000L, "a variance and a magnitude")]
    [InlineData(96, 8, -1L, "residues below")]
    public void A_ciphertext_with_one_wrong_field_is_refused_for_it(int at, int width, long value, string reason)
    {
        var bytes = WireWriter.ToBytes(_wire.Context, _wire.Encrypt(2, seeded: false));
        Span<byte> word = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(word, value);
        word[..width].CopyTo(bytes.AsSpan(at));
        WireConformance.FixChecksum(bytes);

        var refusal = Assert.Throws<WireFormatException>(() => WireReader.ReadCiphertext(bytes, _wire.Context));

        Assert.Contains(reason, refusal.Message);
        Assert.NotEmpty(refusal.Remedy);
    }

    [Fact]
    public void A_seed_with_three_parts_is_refused_before_memory_is_taken()
    {
        var bytes = WireWriter.ToBytes(_wire.Context, _wire.Encrypt(2, seeded: true));
        bytes[7] = 3;

        Refused(() => WireReader.ReadCiphertext(bytes, _wire.Context), "3 with a seed");
    }

    [Fact]
    public void Damage_cuts_and_trailing_bytes_are_refused()
    {
        var bytes = WireWriter.ToBytes(_wire.Context, _wire.Encrypt(2, seeded: true));
        byte[] damaged = [.. bytes];
        damaged[^1] ^= 1;

        Refused(() => WireReader.ReadCiphertext(damaged, _wire.Context), "checksum");
        Refused(() => WireReader.ReadCiphertext([.. bytes, 0], _wire.Context), "in all");
        Refused(() => WireReader.ReadCiphertext(bytes.AsSpan(..^1), _wire.Context), "in all");
        Refused(() => WireReader.ReadCiphertext(bytes.AsSpan(..40), _wire.Context), "the end after 40");
        Refused(() => WireReader.ReadCiphertext(default(ReadOnlySpan<byte>), _wire.Context), "the end after 0");
        Refused(() => WireReader.ReadCiphertext(new MemoryStream(bytes[..^1]), _wire.Context), "the end after 3");
    }

    [Theory]
    [InlineData(0, 2, "odd element")]
    [InlineData(0, -1, "odd element")]
    [InlineData(0, 64, "odd element")]
    [InlineData(0, 65, "odd element")]
    [InlineData(0, 7, "each once")]
    [InlineData(8, 0, "each once")]
    [InlineData(4, 3, "a level from 0 to 2")]
    [InlineData(4, -1, "a level from 0 to 2")]
    [InlineData(4, 0, "payload")]
    [InlineData(-52, 3, "odd element")]
    [InlineData(-52, 1, "payload")]
    [InlineData(-52, 0, "payload")]
    [InlineData(-52, -1, "at most 33 keys")]
    [InlineData(-52, 34, "at most 33 keys")]
    public void A_set_of_keys_with_one_wrong_entry_is_refused_for_it(int at, int value, string reason)
    {
        var bytes = WireWriter.ToBytes(_wire.Context, _wire.Keys, _wire.Requests.Take(2));
        Assert.Equal((0, 5), (BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(64)), BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(72))));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(64 + at), value);
        WireConformance.FixChecksum(bytes);

        Refused(() => WireReader.ReadEvaluationKeys(bytes, _wire.Context), reason);
    }

    [Fact]
    public void Limits_hold_before_anything_is_read()
    {
        var keys = WireWriter.ToBytes(_wire.Context, _wire.Keys);
        var ciphertext = WireWriter.ToBytes(_wire.Context, _wire.Encrypt(2, seeded: true));

        Refused(() => WireReader.ReadEvaluationKeys(keys, _wire.Context, new WireLimits { MaxKeys = 2 }), "at most 2 keys");
        Refused(() => WireReader.ReadEvaluationKeys(keys, _wire.Context, new WireLimits { MaxBytes = keys.Length - 1 }), $"at most {keys.Length - 1} bytes");
        Refused(() => WireReader.ReadCiphertext(ciphertext, _wire.Context, new WireLimits { MaxBytes = 500 }), "at most 500 bytes");
        WireReader.ReadCiphertext(ciphertext, _wire.Context, new WireLimits { MaxBytes = ciphertext.Length }).Dispose();
        Assert.Throws<ArgumentOutOfRangeException>(() => new WireLimits { MaxBytes = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new WireLimits { MaxKeys = 0 });
    }

    [Fact]
    public void Insecure_parameters_are_refused_unless_they_are_allowed()
    {
        var bytes = WireWriter.ToBytes(_wire.Parameters);

        Refused(() => WireReader.ReadParameters(bytes), "a secure set");
        Assert.Equal("InsecureTestWire", WireReader.ReadParameters(bytes, allowInsecure: true).Name);
    }

    /// <summary>A secure set whose bytes were changed to one above the table: the set is checked like one made here.</summary>
    [Fact]
    public void Parameters_above_the_security_table_are_refused_whoever_sends_them()
    {
        var bytes = WireWriter.ToBytes(new CkksParameters(ParameterSets.L14));
        Assert.Equal(14, bytes[64]);
        bytes[64] = 13;
        WireConformance.FixChecksum(bytes);

        Refused(() => WireReader.ReadParameters(bytes, allowInsecure: true), "the 128-bit table allows 214");
    }

    [Fact]
    public void A_transparent_ciphertext_is_written_only_where_that_is_said()
    {
        var fresh = _wire.Encrypt(2, seeded: true, 0.5);
        using var zero = _wire.Evaluator.Multiply(fresh, 0L);

        var refusal = Assert.Throws<MisuseException>(() => WireWriter.ToBytes(_wire.Context, zero));
        using var back = WireReader.ReadCiphertext(WireWriter.ToBytes(_wire.Context, zero, allowTransparent: true), _wire.Context);

        Assert.Contains("transparent", refusal.Message);
        Assert.Equal(0, _wire.Decrypted(back));
    }

    [Fact]
    public void Objects_of_other_parameters_or_backends_or_with_no_message_left_are_not_written()
    {
        using var other = new WireFixture(WireFixture.Tiny with { Chain = [new(40, 1, "message"), new(31, 2, "products")] });
        var fresh = _wire.Encrypt(0, seeded: true);
        using var large = _wire.Evaluator.MultiplyLazy(_wire.Encrypt(0, seeded: true), fresh);
        using var plan = new Ciphertext(new PlanBackend(_wire.Parameters).Add(fresh.Payload, fresh.Payload, 0), _wire.Parameters, 0, fresh.Scale, 1, 1);

        Assert.Contains("its parameters are", Assert.Throws<MisuseException>(() => WireWriter.ToBytes(other.Context, fresh)).Message);
        Assert.Contains("its parameters are", Assert.Throws<MisuseException>(() => WireWriter.ToBytes(other.Context, _wire.PublicKey)).Message);
        Assert.Contains("its parameters are", Assert.Throws<MisuseException>(() => WireWriter.ToBytes(other.Context, _wire.Keys)).Message);
        Assert.Contains("a scale from 1 to", Assert.Throws<MisuseException>(() => WireWriter.ToBytes(_wire.Context, large)).Message);
        Assert.Contains("another backend", Assert.Throws<MisuseException>(() => WireWriter.ToBytes(_wire.Context, plan)).Message);
        Refused(() => WireReader.ReadCiphertext(WireWriter.ToBytes(_wire.Context, fresh), other.Context), "parameters InsecureTestWire");
    }

    public void Dispose() => _wire.Dispose();

    private static void Refused(Action load, string reason) => Assert.Contains(reason, Assert.Throws<WireFormatException>(load).Message);
}
