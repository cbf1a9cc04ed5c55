using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Wire;
using Xunit;
using Xunit.Abstractions;

namespace ActorTrainer.Tests.He;

/// <summary>200,000 damaged inputs for every loader: each is refused with one type of exception, or is a conforming object; memory stays within bounds.</summary>
public sealed class WireFuzzTests(ITestOutputHelper output)
{
    private const int Inputs = 200_000;

    /// <summary>What one load may take from the managed heap: an object of the tiny set, or an exception with its texts and trace.</summary>
    private const long ManagedBound = 32 << 10;

    /// <summary>For a search of up to 128 primes.</summary>
    private const long ParametersBound = 1 << 20;

    [Theory]
    [InlineData(KernelChoice.Fastest)]
    [InlineData(KernelChoice.Integer)]
    public void Damaged_ciphertexts_are_refused_or_conform(KernelChoice kernels)
    {
        using var wire = new WireFixture(kernels: kernels);
        Fuzz(
            wire.CiphertextBytes(),
            kernels == KernelChoice.Fastest ? Inputs : Inputs / 4,
            wire.Context.Ring.Pool,
            bytes => WireReader.ReadCiphertext(bytes, wire.Context),
            ciphertext => WireWriter.ToBytes(wire.Context, ciphertext, allowTransparent: true),
            bytes => WireConformance.CheckCiphertext(bytes, wire.Parameters),
            refusals: 15);
    }

    [Fact]
    public void Damaged_public_keys_are_refused_or_conform()
    {
        using var wire = new WireFixture();
        Fuzz(
            [WireWriter.ToBytes(wire.Context, wire.PublicKey)],
            Inputs,
            wire.Context.Ring.Pool,
            bytes => WireReader.ReadPublicKey(bytes, wire.Context),
            key => WireWriter.ToBytes(wire.Context, key),
            bytes => WireConformance.CheckPublicKey(bytes, wire.Parameters),
            refusals: 9);
    }

    [Fact]
    public void Damaged_evaluation_keys_are_refused_or_conform()
    {
        using var wire = new WireFixture();
        Fuzz(
            wire.KeyBytes(),
            Inputs,
            wire.Context.Ring.Pool,
            bytes => WireReader.ReadEvaluationKeys(bytes, wire.Context),
            keys => WireWriter.ToBytes(wire.Context, keys),
            bytes => WireConformance.CheckKeys(bytes, wire.Parameters),
            refusals: 13);
    }

    [Fact]
    public void Damaged_keys_for_bootstrapping_are_refused_or_conform()
    {
        using var wire = new WireFixture();
        Fuzz(
            [WireWriter.ToBytes(wire.Context, wire.Encapsulation())],
            Inputs / 8,
            wire.Context.Ring.Pool,
            bytes => WireReader.ReadEncapsulationKeys(bytes, wire.Context),
            keys => WireWriter.ToBytes(wire.Context, keys),
            bytes => WireConformance.CheckEncapsulationKeys(bytes, wire.Parameters),
            refusals: 9);
    }

    [Fact]
    public void Damaged_parameters_are_refused_or_conform()
    {
        var (tiny, other) = (new CkksParameters(WireFixture.Tiny), new CkksParameters(WireFixture.Tiny with { Name = "InsecureTestOther", LogDegree = 6 }));
        using var pool = new LimbPool(32);
        Fuzz(
            [WireWriter.ToBytes(tiny), WireWriter.ToBytes(other)],
            Inputs,
            pool,
            bytes => new Made(WireReader.ReadParameters(bytes, allowInsecure: true)),
            made => WireWriter.ToBytes(made.Parameters),
            bytes => Assert.True(tiny.Fingerprint.Span.SequenceEqual(bytes.AsSpan(32, 32)) || other.Fingerprint.Span.SequenceEqual(bytes.AsSpan(32, 32))),
            refusals: 12,
            ParametersBound);
    }

    private void Fuzz<T>(byte[][] valid, int inputs, LimbPool pool, Func<byte[], T> load, Func<T, byte[]> write, Action<byte[]> conforms, int refusals, long managed = ManagedBound)
        where T : IDisposable
    {
        // Objects of every size once, so that the pool has what any conforming object needs.
        foreach (var bytes in valid)
        {
            using var whole = load(bytes);
            Assert.Equal(bytes, write(whole));
            conforms(bytes);
        }

        var (mutator, accepted, refused, most) = (new Mutator(valid, 1), 0, new Dictionary<string, int>(), 0L);
        var (inUse, native, longest) = (pool.BytesInUse, pool.Bytes, valid.Max(bytes => bytes.Length));
        for (var i = 0; i < inputs; i++)
        {
            var bytes = mutator.Next();
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var whole = load(bytes);
                most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
                accepted++;
                Assert.True(bytes.AsSpan().SequenceEqual(write(whole)));
                conforms(bytes);
            }
            catch (WireFormatException refusal)
            {
                most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
                refused[refusal.Expected] = refused.GetValueOrDefault(refusal.Expected) + 1;
            }

            Assert.Equal(inUse, pool.BytesInUse);
        }

        var kinds = refused.Keys.Select(expected => string.Concat(expected.Where(c => !char.IsAsciiHexDigit(c)))).Distinct().Count();
        output.WriteLine($"{accepted} accepted, {refused.Values.Sum()} refused for {kinds} reasons, at most {most} managed bytes, native {native} to {pool.Bytes}");
        Assert.Equal(inputs, accepted + refused.Values.Sum());
        Assert.True(accepted > inputs / 50, $"{accepted} accepted");
        Assert.True(kinds >= refusals, $"{kinds} reasons: {string.Join("; ", refused.Keys.Take(40))}");
        Assert.True(most <= managed, $"{most} bytes");
        // Levels that no valid object had make blocks of other sizes; all of them are bounded by the parameters.
        Assert.InRange(pool.Bytes - native, 0, 64L * pool.StrideBytes);
    }

    private sealed record Made(CkksParameters Parameters) : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
