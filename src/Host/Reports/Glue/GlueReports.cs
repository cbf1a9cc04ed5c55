using System.Text.Json;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Reports.Glue;

/// <summary>Results found in folders.</summary>
/// <param name="Results">In the order of their paths; a result that occurs twice is there once, the one written last.</param>
/// <param name="Notices">Files that were left out, and why.</param>
public sealed record GlueFindings(IReadOnlyList<GlueResult> Results, IReadOnlyList<string> Notices);

/// <summary>Writes and finds results.</summary>
public static class GlueReports
{
    public const string MarkdownFile = "glue.md";
    public const string JsonFile = "glue.json";
    public const string PictureFile = "glue.png";

    /// <summary>Writes the files of one fine-tuning: <c>confusion-SPLIT.png</c> for each split with classes, and <c>result.json</c> last.</summary>
    public static void SaveResult(string folder, GlueResult result)
    {
        foreach (var score in result.Scores.Where(score => score.Confusion is not null))
        {
            var title = $"{result.Info.Folder}, {score.Split}: {result.Method}, {result.Kernel}, {score.Metric} {score.Value:0.000}";
            GluePictures.SaveConfusion(Path.Combine(folder, $"confusion-{score.Split}.png"), score, title);
        }

        result.Save(folder);
    }

    /// <summary>Writes a table as <c>glue.md</c>, <c>glue.json</c> and <c>glue.png</c>.</summary>
    public static void SaveTable(string folder, GlueTable table, string title = "GLUE")
    {
        AtomicFile.WriteText(Path.Combine(folder, MarkdownFile), GlueMarkdown.Of(table));
        AtomicFile.WriteText(Path.Combine(folder, JsonFile), JsonSerializer.Serialize(table, ReportJson.Document) + "\n");
        GluePictures.SaveScores(Path.Combine(folder, PictureFile), table, title);
    }

    /// <summary>Writes a table for a terminal.</summary>
    public static void Print(GlueTable table, TextWriter output) => GlueText.Write(table, output);

    /// <summary>Finds every <c>result.json</c> below folders. Files that are no results are left out with a notice; links are not followed.</summary>
    /// <exception cref="RefusedException">A folder does not exist.</exception>
    public static GlueFindings Find(params IReadOnlyList<string> folders)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };
        var paths = new List<string>();
        foreach (var folder in folders)
        {
            if (!Directory.Exists(folder))
            {
                throw new RefusedException($"{folder} is not a folder: expected one with fine-tuning results below it.");
            }

            paths.AddRange(Directory.EnumerateFiles(folder, GlueResult.FileName, options));
        }

        var notices = new List<string>();
        var found = new List<GlueResult>();
        foreach (var path in paths.DistinctBy(Path.GetFullPath).Order(StringComparer.Ordinal))
        {
            try
            {
                found.Add(GlueResult.Load(path));
            }
            catch (RefusedException e)
            {
                notices.Add($"{e.Message} Left out.");
            }
        }

        var results = new List<GlueResult>();
        foreach (var same in found.GroupBy(r => (r.Run, r.Task, r.Method, r.Kernel, r.Checkpoint, r.Repeat)))
        {
            var last = same.MaxBy(result => File.GetLastWriteTimeUtc(result.Path!))!;
            results.Add(last);
            notices.AddRange(same.Where(result => result != last)
                .Select(result => $"{result.Path} is repeat {last.Repeat} of {last.Run}'s {last.Task} ({last.Method}) once more; the later {last.Path} counts. Left out."));
        }

        return new(results, notices);
    }
}
