namespace ActorTrainer.Model.Glue;

/// <summary>How well a model does on one labelled split of a task.</summary>
public sealed record GlueScore
{
    /// <summary>The task's name, e.g. <c>cola</c>.</summary>
    public required string Task { get; init; }

    /// <summary>The split's name, e.g. <c>dev</c> or <c>dev_matched</c>.</summary>
    public required string Split { get; init; }

    /// <summary>Examples.</summary>
    public required int Rows { get; init; }

    /// <summary>Name of the target metric, e.g. <c>accuracy</c>.</summary>
    public required string Metric { get; init; }

    /// <summary>The target metric.</summary>
    public required double Value { get; init; }

    /// <summary>All metrics of the task by name (<see cref="GlueMetric"/>), the target metric among them.</summary>
    public required IReadOnlyDictionary<string, double> All { get; init; }

    /// <summary>The target metric of predicting these labels' most frequent class for every row; 0 for correlations.</summary>
    public required double Baseline { get; init; }

    /// <summary>Counts, true class × predicted class; null for a real number.</summary>
    public required int[][]? Confusion { get; init; }

    /// <summary>Mean cross-entropy in nats, or mean squared error.</summary>
    public required double Loss { get; init; }

    /// <summary>Scores the outputs of a model.</summary>
    /// <param name="task">The task.</param>
    /// <param name="split">The split's name, kept as it is.</param>
    /// <param name="labels">A class number or a real number for each row.</param>
    /// <param name="outputs">Logits, row by row, <see cref="GlueTaskInfo.Outputs"/> each; or the predicted number.</param>
    /// <exception cref="ArgumentException">No rows, a number of outputs that does not fit, or a label that is none of the task's.</exception>
    public static GlueScore Of(GlueTaskInfo task, string split, IReadOnlyList<float> labels, ReadOnlySpan<float> outputs)
    {
        if (labels.Count == 0)
        {
            throw new ArgumentException($"{task.Name}, {split}: there are no rows to score.", nameof(labels));
        }

        if (outputs.Length != (long)labels.Count * task.Outputs)
        {
            throw new ArgumentException(
                $"{task.Name}, {split}: expected {task.Outputs} outputs for each of {labels.Count} rows, found {outputs.Length} in all.", nameof(outputs));
        }

        return task.IsRegression ? OfNumbers(task, split, labels, outputs) : OfClasses(task, split, labels, outputs);
    }

    /// <summary>What the outputs say: the class of the largest logit, the first of equal ones, NaN never before a number; or the number itself.</summary>
    /// <exception cref="ArgumentException">The outputs are no whole number of rows.</exception>
    public static float[] Predictions(GlueTaskInfo task, ReadOnlySpan<float> outputs)
    {
        if (task.IsRegression)
        {
            return outputs.ToArray();
        }

        if (outputs.Length % task.Outputs != 0)
        {
            throw new ArgumentException($"{task.Name}: expected {task.Outputs} outputs a row, found {outputs.Length} in all.", nameof(outputs));
        }

        var predictions = new float[outputs.Length / task.Outputs];
        for (var row = 0; row < predictions.Length; row++)
        {
            predictions[row] = Largest(outputs.Slice(row * task.Outputs, task.Outputs));
        }

        return predictions;
    }

    private static GlueScore OfClasses(GlueTaskInfo task, string split, IReadOnlyList<float> labels, ReadOnlySpan<float> outputs)
    {
        var truth = new int[labels.Count];
        for (var row = 0; row < truth.Length; row++)
        {
            truth[row] = (int)labels[row];
            if (truth[row] != labels[row] || truth[row] < 0 || truth[row] >= task.Outputs)
            {
                throw new ArgumentException(
                    $"{task.Name}, {split}, row {row}: expected a class from 0 to {task.Outputs - 1}, found {labels[row]}.", nameof(labels));
            }
        }

        var predicted = Array.ConvertAll(Predictions(task, outputs), p => (int)p);
        var confusion = ClassMetrics.Confusion(truth, predicted, task.Outputs);
        var frequent = Enumerable.Range(0, task.Outputs).MaxBy(c => confusion[c].Sum());
        var always = ClassMetrics.Confusion(truth, Enumerable.Repeat(frequent, truth.Length).ToArray(), task.Outputs);
        var loss = 0.0;
        for (var row = 0; row < truth.Length; row++)
        {
            loss += CrossEntropy(outputs.Slice(row * task.Outputs, task.Outputs), truth[row]);
        }

        var baseline = OfConfusion(task.Task, always)[GlueMetric.Target(task.Task)];
        return Make(task, split, labels.Count, OfConfusion(task.Task, confusion), baseline, confusion, loss / truth.Length);
    }

    private static GlueScore OfNumbers(GlueTaskInfo task, string split, IReadOnlyList<float> labels, ReadOnlySpan<float> outputs)
    {
        var (truth, predicted) = (new double[labels.Count], new double[labels.Count]);
        var loss = 0.0;
        for (var row = 0; row < truth.Length; row++)
        {
            (truth[row], predicted[row]) = (labels[row], outputs[row]);
            if (!double.IsFinite(truth[row]))
            {
                throw new ArgumentException($"{task.Name}, {split}, row {row}: expected a number, found {labels[row]}.", nameof(labels));
            }

            loss += (truth[row] - predicted[row]) * (truth[row] - predicted[row]);
        }

        var (pearson, spearman) = (Correlation.Pearson(truth, predicted), Correlation.Spearman(truth, predicted));
        var all = new Dictionary<string, double>
        {
            [GlueMetric.Pearson] = pearson,
            [GlueMetric.Spearman] = spearman,
            [GlueMetric.Mean] = (pearson + spearman) / 2,
        };
        return Make(task, split, truth.Length, all, 0, null, loss / truth.Length);
    }

    private static GlueScore Make(
        GlueTaskInfo task, string split, int rows, Dictionary<string, double> all, double baseline, int[][]? confusion, double loss) => new()
        {
            Task = task.Name,
            Split = split,
            Rows = rows,
            Metric = GlueMetric.Target(task.Task),
            Value = all[GlueMetric.Target(task.Task)],
            All = all,
            Baseline = baseline,
            Confusion = confusion,
            Loss = loss,
        };

    private static Dictionary<string, double> OfConfusion(GlueTask task, int[][] confusion) =>
        GlueMetric.Of(task).ToDictionary(name => name, name => name switch
        {
            GlueMetric.Accuracy => ClassMetrics.Accuracy(confusion),
            GlueMetric.F1 => ClassMetrics.F1(confusion),
            GlueMetric.Matthews => ClassMetrics.Matthews(confusion),
            GlueMetric.Mean => (ClassMetrics.F1(confusion) + ClassMetrics.Accuracy(confusion)) / 2,
            _ => throw new InvalidOperationException($"{name} is no metric of classes."),
        });

    private static int Largest(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var c = 1; c < logits.Length; c++)
        {
            if (logits[c] > logits[best] || (float.IsNaN(logits[best]) && !float.IsNaN(logits[c])))
            {
                best = c;
            }
        }

        return best;
    }

    /// <summary>log Σ exp(logit) − logit of the label, with the largest logit taken out so that nothing overflows.</summary>
    private static double CrossEntropy(ReadOnlySpan<float> logits, int label)
    {
        double largest = logits[Largest(logits)];
        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += Math.Exp(logit - largest);
        }

        return largest + Math.Log(sum) - logits[label];
    }
}
