using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class WireRoundTripTests
{
    public static TheoryData<string> Sets() => [.. ParameterSets.All.Select(set => set.Name)];

    [Theory]
    [MemberData(nameof(Sets))]
    public void A_parameter_set_is_made_again_from_its_bytes(string name)
    {
        var set = new CkksParameters(ParameterSets.All.Single(literal => literal.Name == name));

        var bytes = WireWriter.ToBytes(set);
        var back = WireReader.ReadParameters(bytes, allowInsecure: !set.IsSecure);

        Assert.Equal(set.ToString(), back.ToString());
        Assert.True(set.Fingerprint.Span.SequenceEqual(back.Fingerprint.Span));
        Assert.Equal((set.UsableLevels, set.Purpose), (back.UsableLevels, back.Purpose));
        Assert.Equal(bytes, WireWriter.ToBytes(back));
        Assert.All(Enumerable.Range(0, set.MaxLevel + 1), level => Assert.Equal(set.ScaleAt(level), back.ScaleAt(level)));
    }

    [Theory]
    [InlineData(KernelChoice.Fastest, KernelChoice.Fastest)]
    [InlineData(KernelChoice.Fastest, KernelChoice.Integer)]
    [InlineData(KernelChoice.Integer, KernelChoice.Fastest)]
    public void Ciphertexts_of_every_level_and_form_are_read_by_either_kind_of_kernels(KernelChoice writing, KernelChoice reading)
    {
        using var there = new WireFixture(kernels: writing);
        using var here = new WireFixture(kernels: reading);
        for (var level = 0; level <= there.Parameters.MaxLevel; level++)
        {
            foreach (var (seeded, size) in new[] { (true, 2), (false, 2), (false, 3) }.Where(form => form.Item2 == 2 || level > 0))
            {
                using var sent = size == 3 ? there.Evaluator.MultiplyLazy(there.Encrypt(level, true, 3), there.Encrypt(level, false, -0.25)) : there.Encrypt(level, seeded, -0.75);
                var bytes = WireWriter.ToBytes(there.Context, sent);

                using var received = WireReader.ReadCiphertext(bytes, here.Context);

                Assert.Equal(WireSize.Ciphertext(there.Parameters, level, seeded, size), bytes.Length);
                Assert.Equal((sent.Level, sent.Scale, sent.NoiseVariance, sent.Magnitude, sent.Size), (received.Level, received.Scale, received.NoiseVariance, received.Magnitude, received.Size));
                Assert.Equal(-0.75, here.Decrypted(received), 1e-4);
                Assert.Equal(bytes, WireWriter.ToBytes(here.Context, received));
            }
        }
    }

    [Fact]
    public void Keys_that_are_read_in_part_are_those_of_a_file_that_has_no_others()
    {
        using var wire = new WireFixture();
        KeyRequest[] wanted = [new(KeyRequest.Relinearisation, 1), new(Galois.Rotation(wire.Parameters, 1), 0)];
        var all = WireWriter.ToBytes(wire.Context, wire.Keys, wire.Requests);

        using var some = WireReader.ReadEvaluationKeys(new MemoryStream(all), wire.Context, null, wanted);

        Assert.Equal(wanted.OrderBy(key => key.Element), some.Requests.OrderBy(key => key.Element));
        using var alone = WireReader.ReadEvaluationKeys(WireWriter.ToBytes(wire.Context, wire.Keys, wanted), wire.Context);
        Assert.Equal(WireWriter.ToBytes(wire.Context, alone, wanted), WireWriter.ToBytes(wire.Context, some, wanted));
        var evaluator = new Evaluator(new CkksBackend(wire.Context, some));
        using var product = evaluator.Multiply(wire.Encrypt(1, seeded: true, 3), wire.Encrypt(1, seeded: false, 0.25));
        Assert.Equal(0.75, wire.Decrypted(product), 1e-3);
        Assert.Throws<MissingKeyException>(() => evaluator.Multiply(wire.Encrypt(2, seeded: true, 3), wire.Encrypt(2, seeded: false, 0.25)));
        Assert.Contains("up to level 2", Assert.Throws<WireFormatException>(
            () => WireReader.ReadEvaluationKeys(new MemoryStream(all), wire.Context, null, [new(Galois.Conjugation(wire.Parameters), 2)])).Message);
        Assert.Contains("keys of elements 9 too", Assert.Throws<WireFormatException>(
            () => WireReader.ReadEvaluationKeys(new MemoryStream(all), wire.Context, null, [new(9, 0)])).Message);
    }

    [Fact]
    public void A_seed_is_kept_until_an_operation_changes_what_it_stands_for()
    {
        using var wire = new WireFixture();
        var p = wire.Parameters;
        var fresh = wire.Encrypt(2, seeded: true, 0.5);
        using var dropped = wire.Evaluator.DropTo(fresh, 1);
        using var shifted = wire.Evaluator.Add(fresh, 0.25);
        using var negated = wire.Evaluator.Negate(fresh);
        using var sum = wire.Evaluator.Add(fresh, fresh);
        using var product = wire.Evaluator.Multiply(fresh, 2L);

        Check(dropped, WireSize.Ciphertext(p, 1, seeded: true), 0.5);
        Check(shifted, WireSize.Ciphertext(p, 2, seeded: true), 0.75);
        Check(negated, WireSize.Ciphertext(p, 2), -0.5);
        Check(sum, WireSize.Ciphertext(p, 2), 1);
        Check(product, WireSize.Ciphertext(p, 2), 1);

        void Check(Ciphertext ciphertext, long size, double value)
        {
            var bytes = WireWriter.ToBytes(wire.Context, ciphertext);
            using var back = WireReader.ReadCiphertext(bytes, wire.Context);
            Assert.Equal(size, bytes.Length);
            Assert.Equal(value, wire.Decrypted(back), 1e-4);
        }
    }

    [Theory]
    [InlineData(KernelChoice.Fastest, 0)]
    [InlineData(KernelChoice.Integer, 0)]
    [InlineData(KernelChoice.Fastest, 0.75)]
    public void Keys_of_which_little_is_kept_in_memory_compute_the_same_bits(KernelChoice kernels, double share)
    {
        using var wire = new WireFixture(ParameterSets.ToyL15);
        using var node = new CkksContext(WireReader.ReadParameters(WireWriter.ToBytes(wire.Parameters), allowInsecure: true), 2, kernels);
        var (bytes, sent) = (WireWriter.ToBytes(wire.Context, wire.Keys, wire.Requests), WireWriter.ToBytes(wire.Context, wire.Encrypt(1, true, 0.5, 0.125)));
        using var whole = WireReader.ReadEvaluationKeys(new MemoryStream(bytes), node);
        var budget = (long)(share * whole.Bytes);

        using var half = WireReader.ReadEvaluationKeys(new MemoryStream(bytes), node, budgetBytes: budget);
        var before = half.Bytes;
        var found = Computed(half);

        Assert.Equal(whole.Bytes / 2, before);
        Assert.Equal(Computed(whole), found);
        Assert.InRange(half.Bytes, before, Math.Max(before, budget));
        Assert.Equal(share > 0.5, half.Bytes > before);
        Assert.Equal(bytes, WireWriter.ToBytes(node, half, wire.Requests));

        byte[] Computed(EvaluationKeys keys)
        {
            var evaluator = new Evaluator(new CkksBackend(node, keys));
            using var x = WireReader.ReadCiphertext(sent, node);
            using var square = evaluator.Multiply(x, x);
            using var rescaled = evaluator.Rescale(square);
            using var rotated = evaluator.Rotate(rescaled, 1);
            return WireWriter.ToBytes(node, rotated);
        }
    }

    [Theory]
    [InlineData(KernelChoice.Fastest)]
    [InlineData(KernelChoice.Integer)]
    public void Keys_that_were_read_serve_like_those_that_were_made(KernelChoice kernels)
    {
        using var wire = new WireFixture(ParameterSets.ToyL15);
        using var node = new CkksContext(WireReader.ReadParameters(WireWriter.ToBytes(wire.Parameters), allowInsecure: true), 1, kernels);
        var bytes = WireWriter.ToBytes(wire.Context, wire.Keys);

        using var keys = WireReader.ReadEvaluationKeys(bytes, node);
        using var publicKey = WireReader.ReadPublicKey(WireWriter.ToBytes(wire.Context, wire.PublicKey), node);
        using var encryptor = new Encryptor(node);
        using var message = new Encoder(node).Encode([0.5, 0.25], node.Parameters.MaxLevel, node.Parameters.ScaleAt(node.Parameters.MaxLevel));
        using var fresh = encryptor.Encrypt(message, publicKey);
        var evaluator = new Evaluator(new CkksBackend(node, keys));
        using var product = evaluator.Multiply(fresh, fresh);
        using var low = evaluator.DropTo(product, 1);
        using var rotated = evaluator.Rotate(low, 1);
        using var result = WireReader.ReadCiphertext(WireWriter.ToBytes(node, rotated), wire.Context);

        Assert.Equal(wire.Requests.Order(Comparer<KeyRequest>.Create((a, b) => a.Element - b.Element)), keys.Requests.Order(Comparer<KeyRequest>.Create((a, b) => a.Element - b.Element)));
        Assert.Equal(WireSize.EvaluationKeys(wire.Parameters, wire.Requests), bytes.Length);
        Assert.Equal(WireSize.PublicKey(wire.Parameters), WireWriter.ToBytes(node, publicKey).Length);
        Assert.Equal(bytes, WireWriter.ToBytes(node, keys));
        Assert.Equal(0.0625, wire.Decrypted(result), 1e-6);
    }

    [Fact]
    public void A_node_is_sent_only_the_keys_and_levels_that_it_asks_for()
    {
        using var wire = new WireFixture(ParameterSets.ToyL15);
        KeyRequest[] wanted = [new(Galois.Rotation(wire.Parameters, 1), 0), new(KeyRequest.Relinearisation, 5)];

        var bytes = WireWriter.ToBytes(wire.Context, wire.Keys, wanted);
        using var keys = WireReader.ReadEvaluationKeys(bytes, wire.Context);
        var evaluator = new Evaluator(new CkksBackend(wire.Context, keys));
        using var square = evaluator.Multiply(wire.Encrypt(5, true, 0.5), wire.Encrypt(5, true, 0.5));
        using var rotated = evaluator.Rotate(wire.Encrypt(0, true, 0.5, 0.125), 1);

        Assert.Equal(WireSize.EvaluationKeys(wire.Parameters, wanted), bytes.Length);
        Assert.Equal(wanted.ToHashSet(), keys.Requests.ToHashSet());
        Assert.Equal(0.25, wire.Decrypted(square), 1e-6);
        Assert.Equal(0.125, wire.Decrypted(rotated), 1e-6);
        Assert.Throws<MissingKeyException>(() => evaluator.Multiply(wire.Encrypt(6, true), wire.Encrypt(6, true)));
        Assert.Throws<MissingKeyException>(() => WireWriter.ToBytes(wire.Context, wire.Keys, [new(Galois.Rotation(wire.Parameters, 1), 2)]));
    }

    [Fact]
    public void Objects_follow_each_other_in_a_stream_that_gives_few_bytes_at_a_time()
    {
        using var wire = new WireFixture();
        using var bytes = new MemoryStream();
        WireWriter.Write(bytes, wire.Parameters);
        WireWriter.Write(bytes, wire.Context, wire.PublicKey);
        WireWriter.Write(bytes, wire.Context, wire.Keys);
        WireWriter.Write(bytes, wire.Context, wire.Encrypt(1, seeded: true, 0.5));
        bytes.WriteByte(7);
        using var slow = new DripStream(bytes.ToArray());

        var parameters = WireReader.ReadParameters(slow, allowInsecure: true);
        using var publicKey = WireReader.ReadPublicKey(slow, wire.Context);
        using var keys = WireReader.ReadEvaluationKeys(slow, wire.Context);
        using var ciphertext = WireReader.ReadCiphertext(slow, wire.Context);

        Assert.Equal(wire.Parameters.ToString(), parameters.ToString());
        Assert.Equal(WireWriter.ToBytes(wire.Context, wire.PublicKey), WireWriter.ToBytes(wire.Context, publicKey));
        Assert.Equal(WireWriter.ToBytes(wire.Context, wire.Keys), WireWriter.ToBytes(wire.Context, keys));
        Assert.Equal(0.5, wire.Decrypted(ciphertext), 1e-4);
        Assert.Equal(7, slow.ReadByte());
    }

    [Fact]
    public void A_set_of_keys_passes_through_a_stream_limb_by_limb()
    {
        using var wire = new WireFixture(ParameterSets.ToyL15);
        var bytes = WireWriter.ToBytes(wire.Context, wire.Keys);
        using var stream = new MemoryStream(bytes);
        using var target = new MemoryStream(new byte[bytes.Length]);
        var native = wire.Context.Ring.Pool.BytesInUse;

        var start = GC.GetAllocatedBytesForCurrentThread();
        WireWriter.Write(target, wire.Context, wire.Keys);
        var written = GC.GetAllocatedBytesForCurrentThread();
        using var keys = WireReader.ReadEvaluationKeys(stream, wire.Context);
        var read = GC.GetAllocatedBytesForCurrentThread();

        // Both halves of every key in native memory, and on the managed heap only the objects around them.
        var limbs = wire.Requests.Sum(r => 2L * wire.Parameters.DigitCount(r.Level) * (r.Level + 1 + wire.Parameters.Special.Count));
        Assert.Equal(limbs * wire.Context.Ring.Pool.StrideBytes, wire.Context.Ring.Pool.BytesInUse - native);
        Assert.InRange(written - start, 0, bytes.Length / 20);
        Assert.InRange(read - written, 0, bytes.Length / 4);
    }

    /// <summary>What a planner counts with: L15 as documented.</summary>
    [Fact]
    public void Sizes_on_the_wire_are_those_of_packed_residues()
    {
        var l15 = new CkksParameters(ParameterSets.L15);
        const long Limb41 = 32768 / 8 * 41, Limb49 = 32768 / 8 * 49;

        Assert.Equal(100 + (2 * (Limb49 + (15 * Limb41))), WireSize.Ciphertext(l15, 15));
        Assert.Equal(132 + Limb49 + (15 * Limb41), WireSize.Ciphertext(l15, 15, seeded: true));
        Assert.Equal(100 + (3 * (Limb49 + Limb41)), WireSize.Ciphertext(l15, 1, parts: 3));
        Assert.Equal(8 + 32 + (4 * ((5 * Limb49) + (15 * Limb41))), WireSize.Key(l15, new(3, 15)));
        Assert.Equal(8 + 32 + (5 * Limb49) + Limb41, WireSize.Key(l15, new(3, 1)));
        Assert.Equal(8 + (2 * ((5 * Limb49) + Limb41)), WireSize.Key(l15, new(3, 1), seeded: false));
    }

    /// <summary>A stream that gives at most seven bytes at once, as networks may.</summary>
    private sealed class DripStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 7));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 7)]);
    }
}
