using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.Glue;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Export;

public sealed class DataExportTests : IDisposable
{
    private readonly ExportFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData(16, 12, 37, 1)]
    [InlineData(16, 12, 37, 3)]
    [InlineData(16, 12, 37, 64)]
    [InlineData(768, 128, 9, 0)]
    [InlineData(768, 128, 9, 1)]
    public void Embedded_rows_have_the_bits_that_fine_tuning_computes_whatever_the_block_and_the_micro_batch(int hidden, int sequence, int count, int block)
    {
        using var fixture = new ExportFixture(hidden, sequence);
        var rows = new SyntheticRows(GlueTask.Rte, "train", count, sequence, ExportFixture.Vocabulary) { PadId = 0 };
        DataExport.Write(fixture.Root, fixture.Plan(rows) with { BlockRows = block });

        using var reader = ExportReader.Open(fixture.Folder(task: "rte"));
        foreach (var batch in new[] { 1, 4, count })
        {
            for (var first = 0; first < count; first += batch)
            {
                var size = Math.Min(batch, count - first);
                var expected = Embed(fixture.Embedding, rows, first, size);
                var found = new float[sequence * hidden];
                for (var i = 0; i < size; i++)
                {
                    reader.Read(first + i, found, new byte[sequence]);
                    Assert.True(Bits(expected.AsSpan(i * found.Length, found.Length)).SequenceEqual(Bits(found)), $"row {first + i}, micro-batch of {batch}");
                }
            }
        }
    }

    [Theory]
    [InlineData(GlueTask.Mnli, "train", 3)]
    [InlineData(GlueTask.Stsb, "dev", 0)]
    public void A_reader_gives_back_all_rows_with_their_labels_masks_and_ids(GlueTask task, string split, int padId)
    {
        var rows = new SyntheticRows(task, split, 37, ExportFixture.Sequence, ExportFixture.Vocabulary) { PadId = padId };
        var written = Assert.Single(DataExport.Write(_fixture.Root, _fixture.Plan(rows)));
        Assert.Equal((0, 4), (written.ShardsKept, written.ShardsWritten));

        using var reader = ExportReader.Open(written.Folder);
        reader.Verify();
        Assert.Equal(37, reader.Count);
        Assert.Equal(GlueTasks.Of(task).Labels, reader.Manifest.Labels.Classes);
        Assert.Equal(padId, reader.Manifest.Padding.Id);
        var mask = new byte[ExportFixture.Sequence];
        for (var row = 36; row >= 0; row--)
        {
            Assert.Equal(new(row, rows.Id(row), rows.Length(row), rows.Label(row)), reader.Read(row, new float[12 * 16], mask));
            Assert.Equal(Enumerable.Range(0, 12).Select(i => (byte)(i < rows.Length(row) ? 1 : 0)), mask);
        }
    }

    [Fact]
    public void Shards_are_safetensors_files_that_name_their_rows()
    {
        DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()));

        var header = SafeTensors.Read(Path.Combine(_fixture.Folder(), "rows-00003.safetensors"));
        Assert.Equal(["label I64 [10]", "row I64 [10]"], Shapes("rows-00001.safetensors").Take(2));
        Assert.Equal(
            ["label I64 [7]", "row I64 [7]", "embedded F32 [7, 12, 16]", "token_count I32 [7]", "mask U8 [7, 12]"], Shapes("rows-00003.safetensors"));
        using var numbers = SafeTensors.Load(header, "row");
        Assert.Equal([30, 31, 32, 33, 34, 35, 36], numbers.data<long>().ToArray());

        IEnumerable<string> Shapes(string file) => SafeTensors.Read(Path.Combine(_fixture.Folder(), file)).Entries
            .Select(entry => $"{entry.Name} {entry.DType} [{string.Join(", ", entry.Shape)}]");
    }

    [Fact]
    public void Splits_do_not_overwrite_each_other()
    {
        DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()));
        var train = ExportFixture.Content(_fixture.Folder());

        DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows(name: "dev", count: 11)));

        Assert.Equal(train, ExportFixture.Content(_fixture.Folder()));
        using var reader = ExportReader.Open(_fixture.Folder("dev"));
        Assert.Equal((11, "dev"), (reader.Count, reader.Manifest.Split));
        Assert.Equal("dev-ä 10", reader.Read(10, new float[12 * 16], new byte[12]).Id);
    }

    [Fact]
    public void A_split_without_labels_says_so()
    {
        var rows = new SyntheticRows(GlueTask.Mrpc, "test", 5, ExportFixture.Sequence, ExportFixture.Vocabulary) { BadLabel = 2 };
        DataExport.Write(_fixture.Root, _fixture.Plan(rows));

        using var reader = ExportReader.Open(_fixture.Folder("test"));
        Assert.False(reader.Manifest.Labels.Present);
        Assert.All(Enumerable.Range(0, 5), row => Assert.Equal(-1, reader.Read(row, new float[12 * 16], new byte[12]).Label));
    }

    [Fact]
    public void Frozen_and_learned_embeddings_of_equal_weights_have_one_hash()
    {
        using var frozen = new EmbeddingUnit(_fixture.Arch, 7, frozen: true);
        using var other = new EmbeddingUnit(_fixture.Arch, 8);

        Assert.Equal(DataExport.EmbeddingHash(_fixture.Embedding), DataExport.EmbeddingHash(frozen));
        Assert.NotEqual(DataExport.EmbeddingHash(_fixture.Embedding), DataExport.EmbeddingHash(other));
    }

    [Fact]
    public void A_hundred_megabytes_are_written_with_a_few_live_tensors_and_little_managed_memory()
    {
        using var fixture = new ExportFixture(hidden: 768, sequence: 128);
        var rows = new SyntheticRows(GlueTask.Sst2, "train", 256, 128, ExportFixture.Vocabulary);
        var plan = fixture.Plan(rows) with { ShardBytes = 40 << 20, BlockRows = 0 };
        Assert.Equal(5, plan.RowsPerBlock(128));
        var calls = 0;
        var before = Live();
        var allocated = GC.GetAllocatedBytesForCurrentThread();

        var written = DataExport.Write(fixture.Root, plan, _ =>
        {
            calls++;
            Assert.True(Live() <= before);
        });

        Assert.InRange(written[0].Manifest.Shards.Sum(shard => shard.Bytes), 100_000_000, 110_000_000);
        Assert.InRange(calls, 50, 60);
        Assert.True(Live() <= before);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 8 << 20);

        // A thread's own count, which is below zero where the thread freed tensors that others made: only differences tell anything.
        static long Live() => DisposeScopeManager.Statistics.ThreadTotalLiveCount;
    }

    private static float[] Embed(EmbeddingUnit embedding, SyntheticRows rows, int first, int count)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var ids = Enumerable.Range(first, count).SelectMany(row => rows.Ids(row).ToArray()).Select(id => (long)id).ToArray();
        return embedding.Forward(tensor(ids, [count, rows.Sequence]), new ForwardContext(3, 4, 5, Training: false)).data<float>().ToArray();
    }

    private static ReadOnlySpan<int> Bits(ReadOnlySpan<float> values) => System.Runtime.InteropServices.MemoryMarshal.Cast<float, int>(values);
}
