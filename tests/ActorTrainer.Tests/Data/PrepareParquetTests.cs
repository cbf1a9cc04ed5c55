using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using Xunit;

namespace ActorTrainer.Tests.Data;

public sealed class PrepareParquetTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Rows_of_the_length_of_a_block_are_the_blocks_over_all_shards_in_order()
    {
        var rows = Rows(40, _ => 16);
        _folder.WriteParquet("p/train-1.parquet", rows[15..], rowsPerGroup: 7);
        _folder.WriteParquet("p/train-0.parquet", rows[..15], rowsPerGroup: 7);
        using var data = DatasetBuilder.Prepare(Options(0), null);
        Assert.Equal(rows.SelectMany(row => row), PrepareTests.All(data.Train));
        Assert.Equal(40, data.Train.BlockCount);
        Assert.Equal((500, ""), (data.Manifest.Vocabulary, data.Manifest.TokenizerHash));
        Assert.Equal(0, data.HeldOut.BlockCount);
    }

    [Fact]
    public void Held_out_rows_stay_whole()
    {
        var rows = Rows(200, _ => 16);
        _folder.WriteParquet("p/a.parquet", rows, rowsPerGroup: 50);
        using var data = DatasetBuilder.Prepare(Options(0.2), null);
        Assert.InRange(data.HeldOut.BlockCount, 20, 60);
        Assert.Equal(200, data.Train.BlockCount + data.HeldOut.BlockCount);
        var all = PrepareTests.All(data.Train).Chunk(16).Concat(PrepareTests.All(data.HeldOut).Chunk(16)).Select(row => string.Join(' ', row));
        Assert.Equal(rows.Select(row => string.Join(' ', row)).Order(), all.Order());
    }

    [Fact]
    public void Rows_of_other_lengths_are_concatenated_and_cut()
    {
        var rows = Rows(30, i => i % 9);
        _folder.WriteParquet("p/a.parquet", rows);
        using var data = DatasetBuilder.Prepare(Options(0), null);
        var ids = rows.SelectMany(row => row).ToArray();
        Assert.Equal(ids[..(ids.Length / 16 * 16)], PrepareTests.All(data.Train));
    }

    [Fact]
    public void Bad_input_is_refused_with_file_and_row_and_leaves_nothing()
    {
        _folder.WriteParquet("p/a.parquet", Rows(20, _ => 16));
        var bad = _folder.WriteParquet("p/b.parquet", [[1], [2, 500]]);
        Assert.Contains($"{bad}, row 1", Assert.Throws<RefusedException>(() => DatasetBuilder.Prepare(Options(0), null)).Message);
        File.WriteAllBytes(bad, File.ReadAllBytes(bad)[..^20]);
        Assert.StartsWith(bad, Assert.Throws<RefusedException>(() => DatasetBuilder.Prepare(Options(0), null)).Message);
        Assert.Empty(_folder.CacheFolders());
    }

    [Fact]
    public void No_tokenizer_can_be_trained_on_ids() =>
        Assert.Contains("data.tokenizer", Assert.Throws<RefusedException>(() => DocumentSource.TrainTexts(Options(0))).Message);

    private DataOptions Options(double heldOut) => new()
    {
        Source = DataSourceKind.Parquet,
        Path = _folder["p"],
        Cache = _folder.Cache,
        Vocabulary = 500,
        Sequence = 16,
        HeldOutFraction = heldOut,
    };

    private static int[][] Rows(int count, Func<int, int> length) =>
        [.. Enumerable.Range(0, count).Select(i => Enumerable.Range(0, length(i)).Select(j => (i * 31 + j * 7) % 500).ToArray())];
}
