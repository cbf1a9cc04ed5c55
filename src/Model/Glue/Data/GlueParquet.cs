using System.Numerics;
using ActorTrainer.Model.Common;
using Parquet;

namespace ActorTrainer.Model.Glue;

/// <summary>Splits as Parquet files of the Hugging Face hub's data set <c>glue</c>: <c>sst2/validation-00000-of-00001.parquet</c>.</summary>
internal static class GlueParquet
{
    private static readonly string[] FirstColumns = ["sentence", "sentence1", "question1", "question", "premise"];
    private static readonly string[] SecondColumns = ["sentence2", "question2", "hypothesis"];

    /// <summary>The hub's name of a split.</summary>
    public static string HubName(string split) => split.Replace("dev", "validation", StringComparison.Ordinal);

    /// <summary>Files of a split, in order.</summary>
    public static IReadOnlyList<string> Files(string path, GlueTaskInfo task, string split)
    {
        var folder = Array.Find([Path.Combine(path, task.Name), path], Directory.Exists);
        return folder is null || (folder == path && Path.GetFileName(Path.GetFullPath(path).TrimEnd('/')) != task.Name)
            ? []
            : [.. Directory.EnumerateFiles(folder, HubName(split) + "-*.parquet").Order(StringComparer.Ordinal)];
    }

    /// <summary>Rows of all files.</summary>
    /// <exception cref="RefusedException">A file is damaged or lacks a column.</exception>
    public static List<GlueExample> Read(IReadOnlyList<string> files, GlueTaskInfo task, string split)
    {
        var examples = new List<GlueExample>();
        foreach (var file in files)
        {
            try
            {
                ReadFile(file, task, split, examples).GetAwaiter().GetResult();
            }
            catch (Exception e) when (e is not (RefusedException or OutOfMemoryException))
            {
                throw new RefusedException($"{file}: not a whole Parquet file of GLUE (truncated or damaged?): {e.Message}", e);
            }
        }

        return examples;
    }

    private static async Task ReadFile(string file, GlueTaskInfo task, string split, List<GlueExample> examples)
    {
        using var stream = File.OpenRead(file);
        await using var reader = await ParquetReader.CreateAsync(stream).ConfigureAwait(false);
        var fields = reader.Schema.GetDataFields().ToDictionary(field => field.Name);

        // QNLI has its question first and the answer as "sentence".
        var first = task.Task == GlueTask.Qnli ? "question" : Array.Find(FirstColumns, fields.ContainsKey);
        var second = task.Task == GlueTask.Qnli ? "sentence" : Array.Find(SecondColumns, fields.ContainsKey);
        if (first is null || !fields.ContainsKey(first) || !fields.ContainsKey("label"))
        {
            throw new RefusedException($"{file}: columns {string.Join(", ", fields.Keys)}; expected the sentences of {task.Name}, label and idx.");
        }

        for (var group = 0; group < reader.RowGroupCount; group++)
        {
            using var rows = reader.OpenRowGroupReader(group);
            var firsts = await Texts(first).ConfigureAwait(false);
            var seconds = second is null ? null : await Texts(second).ConfigureAwait(false);
            var labels = await Numbers("label").ConfigureAwait(false);
            var ids = fields.ContainsKey("idx") ? await Numbers("idx").ConfigureAwait(false) : null;
            for (var i = 0; i < firsts.Length; i++)
            {
                examples.Add(new GlueExample(
                    ids is null ? $"{examples.Count}" : $"{ids[i]:0}", firsts[i], seconds?[i] ?? "", Label(labels[i], file, examples.Count)));
            }

            async Task<string[]> Texts(string name)
            {
                var values = new string?[rows.RowCount];
                await rows.ReadAsync(fields[name], values.AsMemory()).ConfigureAwait(false);
                return Array.ConvertAll(values, value => value ?? throw new RefusedException($"{file}: column {name} has a null; expected text in every row."));
            }

            Task<double[]> Numbers(string name) => fields[name].ClrType == typeof(long) ? Values<long>(name)
                : fields[name].ClrType == typeof(int) ? Values<int>(name)
                : fields[name].ClrType == typeof(float) ? Values<float>(name)
                : fields[name].ClrType == typeof(double) ? Values<double>(name)
                : throw new RefusedException($"{file}: column {name} holds {fields[name].ClrType.Name}, expected numbers.");

            async Task<double[]> Values<T>(string name)
                where T : struct, INumber<T>
            {
                if (!fields[name].IsNullable)
                {
                    var plain = new T[rows.RowCount];
                    await rows.ReadAsync(fields[name], plain.AsMemory()).ConfigureAwait(false);
                    return Array.ConvertAll(plain, double.CreateChecked);
                }

                var values = new T?[rows.RowCount];
                await rows.ReadAsync(fields[name], values.AsMemory()).ConfigureAwait(false);
                return Array.ConvertAll(values, value => value is { } number ? double.CreateChecked(number)
                    : throw new RefusedException($"{file}: column {name} has a null; expected a number in every row."));
            }
        }

        float Label(double value, string from, int row)
        {
            if (split.StartsWith("test", StringComparison.Ordinal))
            {
                return float.NaN;
            }

            return (task.IsRegression ? value is >= 0 and <= 5 : value >= 0 && value < task.Outputs && value == Math.Floor(value)) ? (float)value
                : throw new RefusedException($"{from}, row {row}: the label is {value}, expected {(task.IsRegression ? "a number from 0 to 5" : $"a class from 0 to {task.Outputs - 1}")}.");
        }
    }
}
