namespace ActorTrainer.Model.Glue;

/// <summary>One number out of several scores.</summary>
public static class GlueSummary
{
    /// <summary>
    /// The target metric of a task: the mean over its evaluation splits (MNLI has two); null when one of them has no score.
    /// Scores of other splits are left out.
    /// </summary>
    public static double? TaskValue(GlueTaskInfo task, IEnumerable<GlueScore> scores) => OverSplits(task, scores, score => score.Value);

    /// <summary>The baseline of a task, over its evaluation splits like <see cref="TaskValue"/>.</summary>
    public static double? TaskBaseline(GlueTaskInfo task, IEnumerable<GlueScore> scores) => OverSplits(task, scores, score => score.Baseline);

    /// <summary>Mean of the target metrics of tasks.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static double MeanOfTasks(IEnumerable<double> values)
    {
        var all = Some(values);
        return all.Sum() / all.Length;
    }

    /// <summary>The middle value, the mean of the middle two of an even number; NaN when one value is.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static double Median(IEnumerable<double> values)
    {
        var all = Some(values);
        if (all.Any(double.IsNaN))
        {
            return double.NaN;
        }

        Array.Sort(all);
        return (all[(all.Length - 1) / 2] + all[all.Length / 2]) / 2;
    }

    /// <summary>The largest value, NaN only when all are.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static double Best(IEnumerable<double> values)
    {
        var numbers = Some(values).Where(value => !double.IsNaN(value)).ToArray();
        return numbers.Length > 0 ? numbers.Max() : double.NaN;
    }

    private static double? OverSplits(GlueTaskInfo task, IEnumerable<GlueScore> scores, Func<GlueScore, double> number)
    {
        var bySplit = scores.Where(score => score.Task == task.Name).ToLookup(score => score.Split);
        return task.EvaluationSplits.All(bySplit.Contains) ? task.EvaluationSplits.Average(split => number(bySplit[split].First())) : null;
    }

    private static double[] Some(IEnumerable<double> values)
    {
        var all = values.ToArray();
        return all.Length > 0 ? all : throw new ArgumentException("There are no values to sum up.", nameof(values));
    }
}
