using System.Globalization;
using System.Text;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Glue;

/// <summary>Splits of GLUE from files: the official TSV layout, or Parquet as on the Hugging Face hub.</summary>
public static class GlueReader
{
    /// <summary>
    /// Reads a split. In TSV files lines end with LF, columns with TAB, and nothing is quoted: a quotation mark is a character like any other.
    /// A byte-order mark and a missing line end at the end of the file are allowed.
    /// </summary>
    /// <param name="path">Folder with the tasks' folders, or the task's own.</param>
    /// <param name="task">The task.</param>
    /// <param name="split"><c>train</c>, or one of the task's evaluation and test splits.</param>
    /// <param name="notice">Told when the number of rows is not the official one.</param>
    /// <exception cref="RefusedException">There is no such file, or a row is malformed: names file, line, columns and the rule.</exception>
    public static GlueSplit Read(string path, GlueTaskInfo task, string split, Action<string> notice)
    {
        var read = Tsv(path, task, split) is { } file ? new GlueSplit(task, split, ReadTsv(file, task, split), file)
            : GlueParquet.Files(path, task, split) is { Count: > 0 } files ? new GlueSplit(task, split, GlueParquet.Read(files, task, split), string.Join(", ", files))
            : throw new RefusedException(
                $"eval.path={path} has no {split} split of {task.Name}: expected {task.Folder}/{split}.tsv (GLUE's files) or {task.Name}/{GlueParquet.HubName(split)}-*.parquet (the hub's).");
        if (read.Examples.Count == 0)
        {
            throw new RefusedException($"{read.Source}: there are no rows.");
        }

        if (OfficialCounts.Of(task.Task, split) is { } official && official != read.Examples.Count)
        {
            notice($"{task.Name} {split}: {read.Examples.Count:N0} rows, the official split has {official:N0}{(read.Examples.Count < official ? ": a subset" : "")}");
        }

        return read;
    }

    private static string? Tsv(string path, GlueTaskInfo task, string split) =>
        Array.Find([Path.Combine(path, task.Folder, split + ".tsv"), Path.Combine(path, split + ".tsv")], File.Exists) is { } found
        && (found.Contains(Path.Combine(task.Folder, split), StringComparison.Ordinal) || Path.GetFileName(Path.GetFullPath(path).TrimEnd('/')) == task.Folder)
            ? found
            : null;

    private static List<GlueExample> ReadTsv(string file, GlueTaskInfo task, string split)
    {
        var layout = TsvLayout.Of(task.Task, split);
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(file)).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException e)
        {
            throw new RefusedException($"{file}: not UTF-8 text ({e.Message}).", e);
        }

        var lines = text.Split('\n');
        var examples = new List<GlueExample>(lines.Length);
        for (var i = layout.Header ? 1 : 0; i < lines.Length; i++)
        {
            if (i == lines.Length - 1 && lines[i].Length == 0)
            {
                break;
            }

            var columns = lines[i].TrimEnd('\r').Split('\t');
            if (columns.Length != layout.Columns)
            {
                throw new RefusedException(
                    $"{file}, line {i + 1}: {columns.Length} columns, expected {layout.Columns}: {task.Name} {split} has {layout.Columns} columns separated by tabs, without quoting.");
            }

            examples.Add(new GlueExample(
                layout.Id >= 0 ? columns[layout.Id] : $"{examples.Count}",
                columns[layout.First],
                layout.Second >= 0 ? columns[layout.Second] : "",
                layout.Label < 0 ? float.NaN : Label(task, columns[layout.Label], file, i + 1)));
        }

        return examples;
    }

    private static float Label(GlueTaskInfo task, string text, string file, int line)
    {
        if (task.IsRegression)
        {
            return float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var score) && score is >= 0 and <= 5 ? score
                : throw new RefusedException($"{file}, line {line}: the score is '{text}', expected a number from 0 to 5.");
        }

        for (var i = 0; i < task.Labels.Count; i++)
        {
            // RTE, QNLI and MNLI name their classes; the others number them.
            if (text == task.Labels[i] || (text.Length == 1 && text[0] == '0' + i && !NamesClasses(task)))
            {
                return i;
            }
        }

        throw new RefusedException($"{file}, line {line}: the label is '{text}', expected {(NamesClasses(task) ? string.Join(" or ", task.Labels) : "0 or 1")}.");
    }

    /// <summary>Whether the task's files have names for classes rather than numbers.</summary>
    internal static bool NamesClasses(GlueTaskInfo task) => task.Task is GlueTask.Rte or GlueTask.Qnli or GlueTask.Mnli;
}
