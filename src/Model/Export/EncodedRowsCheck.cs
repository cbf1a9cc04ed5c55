using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Model.Export;

/// <summary>Looks through all rows before any is embedded: a bad one is found in a second and not after hours.</summary>
internal static class EncodedRowsCheck
{
    /// <summary>Whether the split has labels.</summary>
    public static bool HasLabels(IEncodedRows rows) => !rows.Task.TestSplits.Contains(rows.Name);

    /// <summary>Refuses rows that the model has no embedding for, and labels that the task does not have.</summary>
    /// <exception cref="RefusedException">Names split, row and id.</exception>
    public static void Require(IEncodedRows rows, int vocabulary)
    {
        if (rows.Count < 1)
        {
            throw new RefusedException($"{rows.Task.Name} {rows.Name} has no rows to export; expected at least one.");
        }

        if (rows.PadId < 0 || rows.PadId >= vocabulary)
        {
            throw new RefusedException($"{rows.Task.Name} {rows.Name} is padded with id {rows.PadId}, outside the model's table of {vocabulary} tokens.");
        }

        var hasLabels = HasLabels(rows);
        for (var row = 0; row < rows.Count; row++)
        {
            if ((Problem(rows, row, vocabulary) ?? (hasLabels ? LabelProblem(rows, row) : null)) is { } problem)
            {
                throw new RefusedException($"{rows.Task.Name} {rows.Name}, row {row} (id {rows.Id(row).ReplaceLineEndings(" ")}): {problem}.");
            }
        }
    }

    private static string? Problem(IEncodedRows rows, int row, int vocabulary)
    {
        var ids = rows.Ids(row);
        var length = rows.Length(row);
        if (length < 1 || length > ids.Length || ids.Length > rows.Sequence)
        {
            return $"expected 1 to {rows.Sequence} tokens, found {length} of {ids.Length} ids";
        }

        foreach (var id in ids[..length])
        {
            if (id < 0 || id >= vocabulary)
            {
                return $"token id {id} is outside the model's table of {vocabulary} tokens; encode the task with the model's own tokenizer";
            }
        }

        return rows.Id(row).AsSpan().IndexOfAny('\n', '\r') < 0 ? null : "its id has a line break; expected one line";
    }

    private static string? LabelProblem(IEncodedRows rows, int row)
    {
        var label = rows.Label(row);
        return rows.Task.IsRegression
            ? float.IsFinite(label) ? null : $"label {label}, expected a number"
            : label >= 0 && label < rows.Task.Labels.Count && label == MathF.Floor(label) ? null
            : $"label {label}, expected a class from 0 to {rows.Task.Labels.Count - 1}";
    }
}
