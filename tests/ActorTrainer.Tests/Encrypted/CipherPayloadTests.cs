using System.Buffers.Binary;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Scheme;
using ActorTrainer.Tests.He;
using Xunit;

namespace ActorTrainer.Tests.Encrypted;

public sealed class CipherPayloadTests : IDisposable
{
    private readonly WireFixture _wire = new();

    public void Dispose() => _wire.Dispose();

    [Fact]
    public void A_bundle_comes_back_with_every_level_form_and_value()
    {
        using var sent = new MemoryStream();
        Bundle().Write(sent);
        sent.Position = 0;

        using var back = (CipherPayload)new CipherPayloadReader(new CkksContexts(_wire.Context)).Read(sent);

        Assert.Equal(sent.Length, Bundle().WireSize);
        Assert.Equal(sent.Length, back.WireSize);
        Assert.Equal([(2, 2), (1, 2), (2, 3)], back.Ciphertexts.Select(c => (c.Level, c.Size)));
        using var again = new MemoryStream();
        back.Write(again);
        Assert.Equal(sent.ToArray(), again.ToArray());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(CipherPayload.MaximumCount + 1)]
    [InlineData(int.MaxValue)]
    public void A_count_that_cannot_be_is_refused_before_anything_is_read(int count)
    {
        var bytes = Written();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(1 + CipherPayload.FingerprintBytes), count);

        Assert.Contains(count.ToString(System.Globalization.CultureInfo.InvariantCulture), Assert.Throws<InvalidDataException>(() => Read(bytes)).Message);
    }

    [Fact]
    public void Damaged_bundles_are_refused_and_leave_no_memory_in_use()
    {
        var (bytes, random) = (Written(), new Random(1));
        var inUse = _wire.Context.Ring.Pool.BytesInUse;

        for (var i = 0; i < 2000; i++)
        {
            var damaged = bytes.ToArray();
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            var error = Record.Exception(() => Read(i % 2 == 0 ? damaged : bytes[..random.Next(bytes.Length)]));
            Assert.True(error is InvalidDataException or EndOfStreamException, $"{error}");
        }

        Assert.Equal(inUse, _wire.Context.Ring.Pool.BytesInUse);
    }

    [Fact]
    public void A_ciphertext_that_anyone_could_read_is_not_sent()
    {
        using var zero = _wire.Evaluator.Multiply(_wire.Encrypt(1, seeded: false), 0L);

        Assert.Throws<MisuseException>(() => new CipherPayload(_wire.Context, [zero]).Write(new MemoryStream()));
    }

    private CipherPayload Bundle() => new(_wire.Context, [_wire.Encrypt(2, seeded: true), _wire.Encrypt(1, seeded: false), _wire.Product(2)]);

    private byte[] Written()
    {
        using var stream = new MemoryStream();
        Bundle().Write(stream);
        return stream.ToArray();
    }

    private void Read(byte[] bytes) => new CipherPayloadReader(new CkksContexts(_wire.Context)).Read(new MemoryStream(bytes)).Dispose();
}
