using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Reports.Glue;

/// <summary>Results of many fine-tunings: a row for each method, medians over repeats, beside the majority class and published figures.</summary>
public sealed record GlueTable
{
    /// <summary>Name of the loss among the metrics.</summary>
    public const string Loss = "loss";

    /// <summary>Names of the tasks that have results, in the order of <see cref="GlueTasks.All"/>.</summary>
    public required IReadOnlyList<string> Tasks { get; init; }

    /// <summary>Rows by method, kernel, checkpoint, run.</summary>
    public required IReadOnlyList<GlueRow> Rows { get; init; }

    /// <summary>The target metric of always predicting the majority class, by the task's name.</summary>
    public required IReadOnlyDictionary<string, double> Baselines { get; init; }

    /// <summary>Published figures.</summary>
    public required IReadOnlyList<PublishedRow> Published { get; init; }

    /// <summary>The results, as they went in, in the order of the rows.</summary>
    public required IReadOnlyList<GlueResult> Results { get; init; }

    /// <summary>
    /// Builds the table. Results of one method, kernel and checkpoint share a row, whatever their runs are called;
    /// but runs that fine-tuned the same task did so to be compared: then each run has its own row.
    /// </summary>
    /// <exception cref="ArgumentException">There are no results.</exception>
    public static GlueTable Of(IReadOnlyList<GlueResult> results)
    {
        if (results.Count == 0)
        {
            throw new ArgumentException("There are no results to make a table of.", nameof(results));
        }

        var groups = results
            .GroupBy(result => (result.Method, result.Kernel, result.Checkpoint))
            .SelectMany(group => group.GroupBy(result => result.Task).Any(task => task.Select(result => result.Run).Distinct().Skip(1).Any())
                ? group.GroupBy(result => result.Run).Select(run => run.ToList())
                : [group.ToList()])
            .OrderBy(group => group[0].Method, StringComparer.OrdinalIgnoreCase)
            .ThenBy(group => group[0].Kernel, StringComparer.Ordinal)
            .ThenBy(group => group[0].Checkpoint, StringComparer.Ordinal)
            .ThenBy(group => group[0].Run, StringComparer.Ordinal)
            .ToList();
        var tasks = GlueTasks.All.Where(task => results.Any(result => result.Task == task.Name)).ToList();
        var baselines = tasks
            .Select(task => (task.Name, Values: results.Select(result => GlueSummary.TaskBaseline(task, result.Scores)).OfType<double>().ToList()))
            .Where(task => task.Values.Count > 0)
            .ToDictionary(task => task.Name, task => GlueSummary.Median(task.Values));
        return new GlueTable
        {
            Tasks = [.. tasks.Select(task => task.Name)],
            Rows = [.. groups.Select(group => Row(tasks, group))],
            Baselines = baselines,
            Published = PublishedResults.All,
            Results = [.. groups.SelectMany(group => group.OrderBy(r => r.Run, StringComparer.Ordinal).ThenBy(r => tasks.IndexOf(r.Info)).ThenBy(r => r.Repeat))],
        };
    }

    /// <summary>Mean of target metrics over the tasks that both have; WNLI left out, whose development split contradicts its training split.</summary>
    /// <returns>The mean, null without tasks, and the number of tasks in it.</returns>
    public static (double? Mean, int Tasks) MeanOver(IEnumerable<string> tasks, IReadOnlyDictionary<string, double> values)
    {
        var found = tasks.Where(task => task != GlueTasks.Of(GlueTask.Wnli).Name && values.ContainsKey(task)).Select(task => values[task]).ToList();
        return found.Count > 0 ? (GlueSummary.MeanOfTasks(found), found.Count) : (null, 0);
    }

    private static GlueRow Row(IReadOnlyList<GlueTaskInfo> tasks, IReadOnlyList<GlueResult> results)
    {
        var cells = new Dictionary<string, GlueCell>();
        var lines = new List<GlueLine>();
        foreach (var task in tasks)
        {
            var ofTask = results.Where(result => result.Task == task.Name).ToList();
            var values = ofTask.Select(result => GlueSummary.TaskValue(task, result.Scores)).OfType<double>().ToList();
            if (values.Count > 0)
            {
                cells[task.Name] = new GlueCell(GlueMetric.Target(task.Task), GlueSummary.Median(values), GlueSummary.Best(values), values.Count);
            }

            lines.AddRange(ofTask.SelectMany(result => result.Scores).GroupBy(score => score.Split)
                .OrderBy(split => split.Key, StringComparer.Ordinal).SelectMany(split => Lines(task, [.. split])));
        }

        var (mean, count) = MeanOver(tasks.Select(task => task.Name), cells.ToDictionary(cell => cell.Key, cell => cell.Value.Median));
        var first = results[0];
        return new GlueRow
        {
            Method = first.Method,
            Kernel = first.Kernel,
            Checkpoint = first.Checkpoint,
            Runs = [.. results.Select(result => result.Run).Distinct().Order(StringComparer.Ordinal)],
            Tasks = cells,
            Mean = mean,
            MeanTasks = count,
            Metrics = lines,
            Published = PublishedResults.Like(first.Method, first.Kernel),
        };
    }

    private static IEnumerable<GlueLine> Lines(GlueTaskInfo task, List<GlueScore> scores)
    {
        foreach (var metric in GlueMetric.Of(task.Task))
        {
            var values = scores.Where(score => score.All.ContainsKey(metric)).Select(score => score.All[metric]).ToList();
            if (values.Count > 0)
            {
                yield return new(task.Name, scores[0].Split, new(metric, GlueSummary.Median(values), GlueSummary.Best(values), values.Count));
            }
        }

        var losses = scores.Select(score => score.Loss).ToList();
        yield return new(task.Name, scores[0].Split, new(Loss, GlueSummary.Median(losses), -GlueSummary.Best(losses.Select(loss => -loss)), losses.Count));
    }
}
