using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Reports.Glue;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Commands;

/// <summary><c>results</c>: fine-tuning results of several runs in one table.</summary>
internal static class ResultsCommand
{
    /// <summary>Name, words and help.</summary>
    public static CommandDescription Description { get; } = new()
    {
        Name = "results",
        Summary = "a table of fine-tuning results across runs",
        Paragraphs =
        [
            """
            Finds the result of every fine-tuning below the folder and shows, for each method and task, median
            and best of the repeats, beside the majority class and the published figures of the same method.
            """,
            """
            With out=FOLDER it also writes glue.md (all metrics, all runs), glue.json and glue.png. The table
            can be made while runs go on: what has not ended is not in it.
            """,
        ],
        Arguments = [new("RUN", "a run's name under base_dir, a folder, or several: [A,B,…]; all of base_dir when left out", Required: false)],
        Options = [new("out", "folder to write the table to; made if it is missing", "FOLDER")],
        Examples =
        [
            new("results", "everything under outputs"),
            new("results wiki-glue out=table", "one run, and the files of its table"),
            new("results [wiki-full,wiki-lora]", "two runs side by side"),
        ],
        Accepts = ["base_dir"],
        Keys = ["base_dir"],
        Done = "the table was shown",
    };

    /// <summary>Shows the table.</summary>
    public static Task<int> Run(CommandContext context, CancellationToken cancellation)
    {
        var folders = Folders(context.Run.BaseDir, context.Arguments.FirstOrDefault());
        var (results, notices) = GlueReports.Find(folders);
        foreach (var notice in notices)
        {
            context.Error.WriteLine($"actortrainer: {notice}");
        }

        if (results.Count == 0)
        {
            throw new RefusedException(
                $"There are no fine-tuning results below {string.Join(", ", folders)}: expected a {GlueResult.FileName} there. Fine-tune a model first, or name another folder.");
        }

        var table = GlueTable.Of(results);
        GlueReports.Print(table, context.Out);
        if (context.Option("out") is { } folder)
        {
            GlueReports.SaveTable(folder, table);
            context.Out.WriteLine($"Written: {Path.Combine(folder, GlueReports.MarkdownFile)}, {GlueReports.JsonFile}, {GlueReports.PictureFile}");
        }

        return Task.FromResult(App.Done);
    }

    private static string[] Folders(string baseDir, string? argument)
    {
        if (argument is null)
        {
            return [baseDir];
        }

        var names = argument is ['[', .., ']'] ? argument[1..^1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [argument];
        return names.Length > 0
            ? [.. names.Select(name => Path.Combine(baseDir, name) is var under && Directory.Exists(under) ? under : name)]
            : throw new RefusedException($"{argument}: expected one or more runs, as in results [A,B].");
    }
}
