using System.Runtime.Versioning;
using System.Text;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Wire;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.Glue;
using Xunit;

namespace ActorTrainer.Tests.KeyHolder;

[UnsupportedOSPlatform("windows")]
public sealed class EncryptedDatasetWriterTests
{
    private static readonly DateTime LongAgo = new(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);

    /// <summary>More tokens than the export has, fewer, classes, a number, a whole last micro-batch and one that is filled up.</summary>
    [Theory]
    [InlineData(GlueTask.Mrpc, "train", false, 37, 36, 36)]
    [InlineData(GlueTask.Mnli, "dev_matched", false, 22, 22, 24)]
    [InlineData(GlueTask.Stsb, "dev", true, 22, 14, 16)]
    public void Micro_batches_decrypt_to_the_rows_masks_and_targets_that_the_layers_expect(GlueTask task, string split, bool isShort, int count, int rows, int padded)
    {
        using var fixture = new OwnerFixture(isShort ? OwnerFixture.Short : OwnerFixture.Wide);
        using var keys = fixture.NewKeys();
        using var source = fixture.Export(task, split, count);
        var plan = fixture.Plan(source, keys);

        var written = EncryptedDatasetWriter.Write(plan);

        var data = EncryptedDataset.Open(plan.Folder, keys.Context);
        var examples = OwnerExamples.Load(plan.OwnerFile);
        Assert.Equal((count, rows, padded, padded / 4), (data.Manifest.SourceRows, data.Manifest.Rows, data.Manifest.PaddedRows, data.Count));
        Assert.Equal((rows, padded), (examples.Rows, examples.RowNumbers.Count));
        Assert.Equal((0, (data.Count + 1) / 2), (written.ShardsKept, written.ShardsWritten));
        for (var i = 0; i < data.Count; i++)
        {
            Compare(keys, source, data, examples, i, fixture.Packing);
        }
    }

    [Fact]
    public void The_owners_file_and_its_folder_are_for_the_owner_only()
    {
        using var fixture = new OwnerFixture();
        using var keys = fixture.NewKeys();
        using var source = fixture.Export();
        var plan = fixture.Plan(source, keys);
        EncryptedDatasetWriter.Write(plan);

        Assert.Equal(Convert.ToInt32("600", 8), (int)File.GetUnixFileMode(plan.OwnerFile));
        Assert.Equal(Convert.ToInt32("700", 8), (int)File.GetUnixFileMode(Path.GetDirectoryName(plan.OwnerFile)!));
        File.SetUnixFileMode(plan.OwnerFile, (UnixFileMode)Convert.ToInt32("644", 8));
        Assert.Contains("chmod 600", Assert.Throws<RefusedException>(() => OwnerExamples.Load(plan.OwnerFile)).Message);
    }

    [Fact]
    public void Public_files_tell_neither_labels_nor_ids_nor_lengths_nor_what_the_order_follows_from()
    {
        using var fixture = new OwnerFixture();
        using var keys = fixture.NewKeys();
        using var source = fixture.Export();
        var plan = fixture.Plan(source, keys) with { OrderSeed = 7_777_777_777_777 };
        EncryptedDatasetWriter.Write(plan);

        Assert.Equal(
            [".lock", "manifest.json", "micro-batches-00000.bundles", "micro-batches-00001.bundles", "micro-batches-00002.bundles", "micro-batches-00003.bundles", "micro-batches-00004.bundles"],
            Directory.GetFiles(plan.Folder).Select(Path.GetFileName).Order());
        var manifest = File.ReadAllText(Path.Combine(plan.Folder, EncryptedManifest.FileName));
        Assert.DoesNotContain("7777777777777", manifest);
        Assert.DoesNotContain(source.Manifest.DataKey, manifest.Split('"'));
        Assert.DoesNotContain(source.Manifest.Ids.Sha256, manifest);
        Assert.DoesNotContain("equivalent", manifest);
        foreach (var file in Directory.GetFiles(plan.Folder))
        {
            Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes("train-ä")));
        }
    }

    [Fact]
    public void Two_encryptions_of_the_same_rows_have_no_ciphertext_in_common()
    {
        using var fixture = new OwnerFixture();
        using var keys = fixture.NewKeys();
        using var source = fixture.Export(count: 8);
        var (first, second) = (fixture.Plan(source, keys, "first"), fixture.Plan(source, keys, "second"));
        EncryptedDatasetWriter.Write(first);
        EncryptedDatasetWriter.Write(second);

        // After header and numbers, a ciphertext has its seed of 32 bytes and then its limbs.
        byte[][] written = [.. new[] { first, second }.SelectMany(plan => Ciphertexts(EncryptedDataset.Open(plan.Folder, keys.Context), keys.Context))];
        Assert.Equal(2 * 2 * 6, written.Length);
        Assert.Equal(written.Length, written.Select(bytes => Convert.ToHexString(bytes.AsSpan(96, 32))).Distinct().Count());
        Assert.Equal(written.Length, written.Select(bytes => Convert.ToHexString(bytes.AsSpan(128, 32))).Distinct().Count());
    }

    [Fact]
    public void An_encryption_that_stopped_half_way_goes_on_with_its_finished_shards_and_its_order()
    {
        using var fixture = new OwnerFixture();
        using var keys = fixture.NewKeys();
        using var source = fixture.Export();
        var plan = fixture.Plan(source, keys);
        Assert.Throws<InvalidOperationException>(() => EncryptedDatasetWriter.Write(plan, p => _ = p.MicroBatches == 5 ? throw new InvalidOperationException() : 0));
        Assert.Equal([".lock", "micro-batches-00000.bundles", "micro-batches-00001.bundles", "progress.json"], Directory.GetFiles(plan.Folder).Select(Path.GetFileName).Order());
        Assert.Contains("finish it", Assert.Throws<RefusedException>(() => EncryptedDataset.Open(plan.Folder, keys.Context)).Message);

        // What a killed process leaves besides: a temporary file, and a shard that is not recorded yet.
        File.WriteAllText(Path.Combine(plan.Folder, ".micro-batches-00002.bundles.0123.tmp"), "half");
        File.WriteAllText(Path.Combine(plan.Folder, EncryptedShard.NameOf(2)), "not recorded");
        File.SetLastWriteTimeUtc(Path.Combine(plan.Folder, EncryptedShard.NameOf(1)), LongAgo);
        var order = OwnerExamples.Load(plan.OwnerFile).RowNumbers;
        var progress = new List<EncryptionProgress>();
        var split = EncryptedDatasetWriter.Write(plan with { OrderSeed = 99 }, progress.Add);

        Assert.Equal((2, 3), (split.ShardsKept, split.ShardsWritten));
        Assert.Equal(LongAgo, File.GetLastWriteTimeUtc(Path.Combine(plan.Folder, EncryptedShard.NameOf(1))));
        Assert.Equal([(true, 2), (true, 4), (false, 5), (false, 6), (false, 7), (false, 8), (false, 9)], progress.Select(p => (p.IsVerifying, p.MicroBatches)));
        var examples = OwnerExamples.Load(plan.OwnerFile);
        Assert.Equal(order, examples.RowNumbers);
        var data = EncryptedDataset.Open(plan.Folder, keys.Context);
        for (var i = 0; i < data.Count; i++)
        {
            Compare(keys, source, data, examples, i, fixture.Packing);
        }

        Assert.Equal(0, EncryptedDatasetWriter.Write(plan).ShardsWritten);
    }

    [Fact]
    public void A_damaged_shard_is_written_again_by_the_same_encryption()
    {
        using var fixture = new OwnerFixture();
        using var keys = fixture.NewKeys();
        using var source = fixture.Export();
        var plan = fixture.Plan(source, keys);
        EncryptedDatasetWriter.Write(plan);
        var file = Path.Combine(plan.Folder, EncryptedShard.NameOf(3));
        var bytes = File.ReadAllBytes(file);
        bytes[1000] ^= 4;
        File.WriteAllBytes(file, bytes);

        Assert.Equal((4, 1), EncryptedDatasetWriter.Write(plan) is var split ? (split.ShardsKept, split.ShardsWritten) : default);
        Compare(keys, source, EncryptedDataset.Open(plan.Folder, keys.Context), OwnerExamples.Load(plan.OwnerFile), 6, fixture.Packing);
    }

    [Fact]
    public void Into_a_folder_of_another_encryption_nothing_is_written()
    {
        using var fixture = new OwnerFixture();
        using var keys = fixture.NewKeys();
        using var source = fixture.Export();
        var plan = fixture.Plan(source, keys);
        EncryptedDatasetWriter.Write(plan);
        var before = OwnerFixture.Content(plan.Folder);
        var other = Path.Combine(fixture.Root, "other");
        fixture.CreateKeys(other);
        using var otherKeys = fixture.OpenKeys(other);

        Refused(plan with { Levels = new(3, 3, 1) }, "levels was");
        Refused(plan with { Keys = otherKeys }, "key_sha256 was");
        Refused(plan with { OwnerFile = plan.OwnerFile + ".other" }, "the owner's file is missing");
        Refused(plan with { Folder = plan.Folder + "-other", Keys = otherKeys }, "of other data or keys");
        Assert.Equal(before, OwnerFixture.Content(plan.Folder));

        static void Refused(EncryptionPlan plan, string difference)
        {
            var message = Assert.Throws<RefusedException>(() => EncryptedDatasetWriter.Write(plan)).Message;
            Assert.Contains(difference, message);
            Assert.Contains("Delete both", message);
        }
    }

    [Fact]
    public void A_second_writer_is_kept_out()
    {
        using var fixture = new OwnerFixture();
        using var keys = fixture.NewKeys();
        using var source = fixture.Export(count: 8);
        var plan = fixture.Plan(source, keys);

        EncryptedDatasetWriter.Write(plan, _ => Assert.Contains("cannot be held", Assert.Throws<RefusedException>(() => EncryptedDatasetWriter.Write(plan)).Message));

        Assert.Equal(0, EncryptedDatasetWriter.Write(plan).ShardsWritten);
    }

    [Fact]
    public void What_does_not_fit_is_refused_before_anything_is_written()
    {
        using var fixture = new OwnerFixture();
        using var keys = fixture.NewKeys();
        using var source = fixture.Export();
        var plan = fixture.Plan(source, keys);

        Refused(plan with { Levels = new(4, 0, 0) }, "Levels of InsecureTestOwner are 0 to 3");
        Refused(plan with { Packing = new(16, 4, 2, 4) }, "8 wide; found 16");
        Refused(plan with { Packing = OwnerFixture.Short }, "found keys for");
        using var unlabelled = fixture.Export(GlueTask.Mrpc, "test", 8);
        Refused(plan with { Source = unlabelled }, "has no labels");
        Assert.False(Directory.Exists(plan.Folder));

        static void Refused(EncryptionPlan plan, string expected) =>
            Assert.Contains(expected, Assert.Throws<RefusedException>(() => EncryptedDatasetWriter.Write(plan)).Message);
    }

    [Fact]
    public void Numbers_above_the_declared_bound_are_refused()
    {
        using var fixture = new OwnerFixture();
        using var keys = fixture.NewKeys();
        using var source = fixture.Export(count: 8);

        Assert.Contains("at most 0.5 in size", Assert.Throws<RefusedException>(() => EncryptedDatasetWriter.Write(fixture.Plan(source, keys) with { InputMagnitude = 0.5 })).Message);
        using var scores = fixture.Export(GlueTask.Stsb, "dev", 24);
        Assert.Contains("the label 5.25", Assert.Throws<RefusedException>(() => EncryptedDatasetWriter.Write(fixture.Plan(scores, keys))).Message);
    }

    private static IEnumerable<byte[]> Ciphertexts(EncryptedDataset data, CkksContext context) => Enumerable.Range(0, data.Count).SelectMany(i =>
    {
        var (inputs, targets) = data.Read(i);
        using (inputs)
        using (targets)
        {
            return inputs.Ciphertexts.Concat(targets.Ciphertexts).Select(ciphertext => WireWriter.ToBytes(context, ciphertext)).ToArray();
        }
    });

    private static void Compare(OwnerKeys keys, ExportReader source, EncryptedDataset data, OwnerExamples examples, int microBatch, PackingShape shape)
    {
        var (inputs, targets) = data.Read(microBatch);
        using (inputs)
        using (targets)
        {
            var (packing, manifest) = (shape.Of(keys.Parameters), source.Manifest);
            var decryptor = new Decryptor(keys.Context, keys.Secret);
            double[][] Slots(IEnumerable<Ciphertext> ciphertexts) => [.. ciphertexts.Select(c => decryptor.Slots(c).Select(v => v.Real).ToArray())];
            var (parts, masks, labels) = (Slots(inputs.Ciphertexts.Take(packing.Hidden.Ciphertexts)), Slots(inputs.Ciphertexts.Skip(packing.Hidden.Ciphertexts)), Slots(targets.Ciphertexts));
            Assert.Equal(SlotMaps.ShiftGroups(packing), masks.Length);
            Assert.Equal(Math.Max(1, manifest.Labels.Classes.Count), labels.Length);
            Assert.All(inputs.Ciphertexts, c => Assert.Equal(c.Magnitude, masks.Length == 0 || inputs.Ciphertexts.Take(parts.Length).Contains(c) ? 4 : 1));
            var values = packing.Hidden.Unpack(parts);
            var (embedded, mask) = (new float[manifest.Sequence * manifest.Hidden], new byte[manifest.Sequence]);
            for (var b = 0; b < packing.Batch; b++)
            {
                var row = source.Read(examples.RowNumbers[(microBatch * packing.Batch) + b], embedded, mask);
                Assert.Equal((row.TokenCount, row.Label), (examples.TokenCounts[(microBatch * packing.Batch) + b], examples.Labels[(microBatch * packing.Batch) + b]));
                for (var t = 0; t < packing.Tokens; t++)
                {
                    for (var f = 0; f < manifest.Hidden; f++)
                    {
                        Assert.Equal(embedded[(Math.Min(t, manifest.Sequence - 1) * manifest.Hidden) + f], values[b, t, f], 1e-6);
                    }

                    CheckMask(packing, masks, b, t, row.TokenCount);
                }

                for (var slot = b; slot < packing.Slots; slot += packing.Batch)
                {
                    Assert.All(Enumerable.Range(0, labels.Length), o => Assert.Equal(manifest.Labels.Kind == ExportLabels.Number ? row.Label : (int)row.Label == o ? 1 : 0, labels[o][slot], 1e-6));
                }
            }
        }
    }

    /// <summary>From token t, every shift stands at one place of each head; it leads to a real token or not.</summary>
    private static void CheckMask(Packing packing, double[][] masks, int b, int t, int tokens)
    {
        for (var shift = 0; shift < packing.Tokens; shift++)
        {
            var (group, place) = (shift / packing.HeadPlaces, shift % packing.HeadPlaces);
            for (var head = 0; head < packing.HeadsPerCiphertext; head++)
            {
                var slot = (((((place * packing.HeadsPerCiphertext) + head) * packing.Tokens) + t) * packing.Batch) + b;
                Assert.Equal((t + shift) % packing.Tokens < tokens ? 1 : 0, masks[group][slot], 1e-6);
            }
        }
    }
}
