using System.Text;
using ActorTrainer.Model.Data;
using Parquet;
using Parquet.Schema;

namespace ActorTrainer.Tests.Data;

/// <summary>A temporary folder with helpers to fill it.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("actortrainer-data-");

    public string Path => _folder.FullName;

    /// <summary>Where prepared data goes.</summary>
    public string Cache => this["cache"];

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    public string Write(string name, byte[] bytes)
    {
        var file = this[name];
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, bytes);
        return file;
    }

    /// <summary>Sample documents as a text file with blank lines between them.</summary>
    public string WriteSample(string name, int documents, ulong seed = 1) =>
        Write(name, string.Join("\n\n", Enumerable.Range(0, documents).Select(i => SampleText.Document(seed, i))) + "\n");

    /// <summary>A Parquet file with a list column; <paramref name="rowsPerGroup"/> rows in each row group.</summary>
    public string WriteParquet(string name, int[][] rows, int rowsPerGroup = 3, string column = "input_ids")
    {
        var file = this[name];
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        using var stream = File.Create(file);
        WriteParquet(stream, rows, rowsPerGroup, column).GetAwaiter().GetResult();
        return file;
    }

    /// <summary>Names of everything in the cache that looks like prepared data or is on its way.</summary>
    public string[] CacheFolders() =>
        Directory.Exists(Cache) ? [.. Directory.EnumerateDirectories(Cache).Select(folder => System.IO.Path.GetFileName(folder)!).Order()] : [];

    public void Dispose() => _folder.Delete(recursive: true);

    private static async Task WriteParquet(Stream stream, int[][] rows, int rowsPerGroup, string column)
    {
        var item = new DataField<int>("element");
        var schema = new ParquetSchema(new ListField(column, item));
        var field = schema.GetDataFields()[0];
        await using var writer = await ParquetWriter.CreateAsync(schema, stream).ConfigureAwait(false);
        foreach (var group in rows.Chunk(rowsPerGroup))
        {
            var values = group.SelectMany(row => row).ToArray();

            // An empty row is one level entry that carries no value.
            var entries = group.SelectMany(row => row.Length == 0 ? [(0, false)] : row.Select((_, i) => (Math.Min(i, 1), true))).ToArray();
            var definition = entries.Select(entry => entry.Item2 ? field.MaxDefinitionLevel : 1).ToArray();
            var repetition = entries.Select(entry => entry.Item1).ToArray();
            using var groupWriter = writer.CreateRowGroup();
            await groupWriter.WriteAllPartsAsync<int>(field, values, (ReadOnlyMemory<int>)definition, (ReadOnlyMemory<int>)repetition, CancellationToken.None).ConfigureAwait(false);
            groupWriter.CompleteValidate();
        }
    }
}
