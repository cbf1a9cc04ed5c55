using ActorTrainer.Model.Common;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace ActorTrainer.Model.Data;

/// <summary>Rows of Parquet files with an int32 list column <c>input_ids</c>; one row group is in memory at a time.</summary>
internal static class ParquetRows
{
    /// <summary>Name of the column of token ids.</summary>
    public const string Column = "input_ids";

    /// <summary>Reads the rows of a file; rows without ids are passed over.</summary>
    /// <param name="vocabulary">Every id must lie in [0, vocabulary).</param>
    /// <exception cref="RefusedException">
    /// The file is damaged or truncated, has no such column or one of another type, or an id is null or out of range; names file
    /// and row.
    /// </exception>
    public static IEnumerable<TokenRow> Read(string file, int vocabulary)
    {
        using var stream = InputFile.Open(file);
        var reader = Guard(file, () => ParquetReader.CreateAsync(stream, leaveStreamOpen: true).GetAwaiter().GetResult());
        try
        {
            var field = Find(reader.Schema, file);
            var counts = Enumerable.Range(0, reader.RowGroupCount).Select(group => Guard(file, () => reader.RowGroups[group].RowCount)).ToList();
            var bytesPerRow = stream.Length / (double)Math.Max(1, counts.Sum());
            var row = 0L;
            for (var group = 0; group < counts.Count; group++)
            {
                foreach (var ids in ReadGroup(reader, group, field, file, row))
                {
                    if (ids.Length > 0)
                    {
                        Check(ids, vocabulary, file, row);
                        yield return new(ids, file, row, (long)((row + 1) * bytesPerRow) - (long)(row * bytesPerRow));
                    }

                    row++;
                }
            }
        }
        finally
        {
            reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static DataField Find(ParquetSchema schema, string file)
    {
        var column = schema.Fields.FirstOrDefault(field => field.Name == Column);
        if (column is null)
        {
            throw new RefusedException(
                $"{file}: no column {Column}; found {string.Join(", ", schema.Fields.Select(field => field.Name))}. "
                + "Expected a list of int32 named so.");
        }

        var leaves = schema.GetDataFields().Where(leaf => leaf.Path.FirstPart == Column).ToList();
        if (leaves is [{ MaxRepetitionLevel: 1 } ids] && ids.ClrType == typeof(int))
        {
            return ids;
        }

        var found = leaves is [var only] ? $"{(only.MaxRepetitionLevel > 0 ? "list of " : "")}{only.ClrType.Name}" : column.SchemaType.ToString();
        throw new RefusedException($"{file}: column {Column} must be a list of int32, found {found}.");
    }

    /// <summary>Cuts a row group's values into rows by the repetition and definition levels of the Parquet format.</summary>
    private static List<int[]> ReadGroup(ParquetReader reader, int group, DataField field, string file, long firstRow) => Guard(file, () =>
    {
        using var groupReader = reader.OpenRowGroupReader(group);
        using var raw = (RawColumnData<int>)groupReader.ReadRawColumnDataBaseAsync(field).AsTask().GetAwaiter().GetResult();
        // The values that are there come first; room for the others follows.
        var values = raw.Values;
        var repetition = raw.RepetitionLevels;
        var definition = raw.DefinitionLevels;
        var rows = new List<int[]>();
        var used = 0;
        for (var i = 0; i < repetition.Length;)
        {
            var start = used;
            do
            {
                if (definition[i] == field.MaxDefinitionLevel)
                {
                    used++;
                }
                else if (field.IsNullable && definition[i] == field.MaxDefinitionLevel - 1)
                {
                    throw new RefusedException($"{file}, row {firstRow + rows.Count}: a null inside {Column}; expected token ids.");
                }

                i++;
            }
            while (i < repetition.Length && repetition[i] > 0);
            rows.Add(values[start..used].ToArray());
        }

        return rows.Count == groupReader.RowCount
            ? rows
            : throw new InvalidDataException($"row group {group} holds {rows.Count} rows of {Column} and declares {groupReader.RowCount}");
    });

    private static void Check(int[] ids, int vocabulary, string file, long row)
    {
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)vocabulary)
            {
                throw new RefusedException(
                    $"{file}, row {row}: token id {id} is outside the vocabulary [0, {vocabulary}); "
                    + "set arch.vocabulary to that of the tokenizer which made the file.");
            }
        }
    }

    /// <summary>Turns whatever the reader throws on a damaged file into a refusal that names it.</summary>
    private static T Guard<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not (RefusedException or OperationCanceledException or OutOfMemoryException))
        {
            throw new RefusedException($"{file}: not a whole Parquet file (truncated or damaged?): {e.Message}", e);
        }
    }
}
