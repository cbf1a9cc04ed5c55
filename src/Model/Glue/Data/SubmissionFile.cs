using System.Globalization;
using System.Text;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Glue;

/// <summary>Predictions of test sets in the layout that GLUE's server takes: <c>index TAB prediction</c> under a heading.</summary>
public static class SubmissionFile
{
    /// <summary>Writes one file, e.g. <c>SST-2.tsv</c> or <c>MNLI-mm.tsv</c>, atomically.</summary>
    /// <param name="folder">Folder of the submission.</param>
    /// <param name="task">The task.</param>
    /// <param name="split">The test split.</param>
    /// <param name="ids">Index of each row.</param>
    /// <param name="predictions">Class number or score of each row.</param>
    /// <returns>The file.</returns>
    public static string Write(string folder, GlueTaskInfo task, string split, IReadOnlyList<string> ids, IReadOnlyList<float> predictions)
    {
        if (ids.Count != predictions.Count)
        {
            throw new ArgumentException($"{ids.Count} ids and {predictions.Count} predictions.", nameof(predictions));
        }

        var text = new StringBuilder("index\tprediction\n");
        for (var i = 0; i < ids.Count; i++)
        {
            text.Append(ids[i]).Append('\t').Append(Prediction(task, predictions[i])).Append('\n');
        }

        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, NameOf(task, split));
        AtomicFile.WriteText(path, text.ToString());
        return path;
    }

    /// <summary>Name of a split's file.</summary>
    public static string NameOf(GlueTaskInfo task, string split) => split switch
    {
        "test_matched" => "MNLI-m.tsv",
        "test_mismatched" => "MNLI-mm.tsv",
        _ => task.Folder + ".tsv",
    };

    private static string Prediction(GlueTaskInfo task, float value) =>
        task.IsRegression ? Math.Clamp(value, 0, 5).ToString("0.000", CultureInfo.InvariantCulture)
        : GlueReader.NamesClasses(task) ? task.Labels[(int)value]
        : ((int)value).ToString(CultureInfo.InvariantCulture);
}
