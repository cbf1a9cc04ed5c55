using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using Parquet;
using Parquet.Schema;
using Xunit;

namespace ActorTrainer.Tests.Data;

public sealed class ParquetRowsTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Rows_of_any_length_come_back_over_several_row_groups()
    {
        int[][] rows = [[1, 2, 3], [4], [], [5, 6], [7, 8, 9, 10, 11], [], [12]];
        var file = _folder.WriteParquet("a.parquet", rows, rowsPerGroup: 2);
        var read = ParquetRows.Read(file, 13).ToList();
        Assert.Equal(rows.Where(row => row.Length > 0), read.Select(row => row.Ids));
        Assert.Equal([0L, 1, 3, 4, 6], read.Select(row => row.Row));
        Assert.InRange(read.Sum(row => row.Bytes), 1, new FileInfo(file).Length);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(-1)]
    public void An_id_outside_the_vocabulary_is_refused_with_file_and_row(int id)
    {
        var file = _folder.WriteParquet("a.parquet", [[1], [2], [3], [4, 5], [6, id], [7]], rowsPerGroup: 4);
        var refusal = Assert.Throws<RefusedException>(() => ParquetRows.Read(file, 100).Count());
        Assert.StartsWith($"{file}, row 4: token id {id} is outside the vocabulary [0, 100)", refusal.Message);
    }

    [Fact]
    public void A_bad_row_shows_only_when_its_row_group_is_reached()
    {
        var file = _folder.WriteParquet("a.parquet", [[1], [2], [3], [999]], rowsPerGroup: 2);
        Assert.Equal(3, ParquetRows.Read(file, 100).Take(3).Count());
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.99)]
    public void A_truncated_file_is_refused_with_its_name(double share)
    {
        var file = _folder.WriteParquet("whole.parquet", [.. Enumerable.Range(0, 50).Select(i => new[] { i, i + 1 })], rowsPerGroup: 10);
        var bytes = File.ReadAllBytes(file);
        var cut = _folder.Write("cut.parquet", bytes[..(int)(bytes.Length * share)]);
        var refusal = Assert.Throws<RefusedException>(() => ParquetRows.Read(cut, 100).Count());
        Assert.StartsWith($"{cut}: not a whole Parquet file", refusal.Message);
    }

    [Fact]
    public void Damage_inside_a_row_group_is_refused_with_the_file_or_leaves_ids_in_range()
    {
        // Nothing in the format guards uncompressed pages, so damage may read as other ids; it must never read as an id out of range or crash.
        var file = _folder.WriteParquet("whole.parquet", [.. Enumerable.Range(0, 50).Select(i => new[] { i, i + 1 })], rowsPerGroup: 10);
        var bytes = File.ReadAllBytes(file);
        var refused = 0;
        for (var at = 4; at < bytes.Length - 8; at += 29)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[at] ^= 0xFF;
            var path = _folder.Write("damaged.parquet", damaged);
            try
            {
                Assert.All(ParquetRows.Read(path, 100).SelectMany(row => row.Ids), id => Assert.InRange(id, 0, 99));
            }
            catch (RefusedException e)
            {
                Assert.StartsWith(path, e.Message);
                refused++;
            }
        }

        Assert.True(refused > 0);
    }

    [Fact]
    public void Something_else_under_the_name_is_refused()
    {
        var file = _folder.Write("a.parquet", "just text, longer than the magic number");
        Assert.StartsWith(file, Assert.Throws<RefusedException>(() => ParquetRows.Read(file, 100).Count()).Message);
        var empty = _folder.Write("b.parquet", "");
        Assert.StartsWith(empty, Assert.Throws<RefusedException>(() => ParquetRows.Read(empty, 100).Count()).Message);
    }

    [Fact]
    public void A_missing_column_is_refused_with_those_found()
    {
        var file = _folder.WriteParquet("a.parquet", [[1]], column: "tokens");
        var refusal = Assert.Throws<RefusedException>(() => ParquetRows.Read(file, 100).Count());
        Assert.StartsWith($"{file}: no column input_ids; found tokens", refusal.Message);
    }

    [Fact]
    public async Task A_column_of_another_type_is_refused()
    {
        await Write(new DataField<int>("input_ids"), (group, field) => group.WriteAsync<int>(field, new[] { 1, 2 }));
        Assert.Contains("must be a list of int32, found Int32", Refusal());
        await Write(
            new ListField("input_ids", new DataField<long>("element")),
            (group, field) => group.WriteAllPartsAsync<long>(field, new[] { 1L }, (ReadOnlyMemory<int>)new[] { field.MaxDefinitionLevel }, (ReadOnlyMemory<int>)new[] { 0 }, default));
        Assert.Contains("must be a list of int32, found list of Int64", Refusal());
    }

    [Fact]
    public async Task A_null_among_the_ids_is_refused_with_its_row()
    {
        await Write(
            new ListField("input_ids", new DataField<int?>("element")),
            (group, field) => group.WriteAllPartsAsync<int>(
                field,
                new[] { 1, 2 },
                (ReadOnlyMemory<int>)new[] { field.MaxDefinitionLevel, field.MaxDefinitionLevel, field.MaxDefinitionLevel - 1 },
                (ReadOnlyMemory<int>)new[] { 0, 0, 1 },
                default));
        Assert.Contains("row 1: a null inside input_ids", Refusal());
    }

    private string Refusal() => Assert.Throws<RefusedException>(() => ParquetRows.Read(_folder["a.parquet"], 100).Count()).Message;

    private async Task Write(Field column, Func<ParquetRowGroupWriter, DataField, Task> write)
    {
        var schema = new ParquetSchema(column);
        await using var stream = File.Create(_folder["a.parquet"]);
        await using var writer = await ParquetWriter.CreateAsync(schema, stream);
        using var group = writer.CreateRowGroup();
        await write(group, schema.GetDataFields()[0]);
    }
}
