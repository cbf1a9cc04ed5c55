namespace ActorTrainer.Model.Glue;

/// <summary>Which metrics a task is told by, as in the GLUE paper; larger is better in all of them.</summary>
public static class GlueMetric
{
    public const string Accuracy = "accuracy";

    /// <summary>F1 of class 1.</summary>
    public const string F1 = "f1";

    public const string Matthews = "matthews";
    public const string Pearson = "pearson";
    public const string Spearman = "spearman";

    /// <summary>Mean of a task's two official metrics, as some tables have it.</summary>
    public const string Mean = "mean";

    private static readonly string[] OfAccuracy = [Accuracy];
    private static readonly string[] OfCola = [Matthews, Accuracy];
    private static readonly string[] OfPairs = [F1, Accuracy, Mean];
    private static readonly string[] OfSimilarity = [Pearson, Spearman, Mean];

    /// <summary>The metrics of a task, that of results tables first.</summary>
    public static IReadOnlyList<string> Of(GlueTask task) => task switch
    {
        GlueTask.Cola => OfCola,
        GlueTask.Mrpc or GlueTask.Qqp => OfPairs,
        GlueTask.Stsb => OfSimilarity,
        _ => OfAccuracy,
    };

    /// <summary>The metric of results tables.</summary>
    public static string Target(GlueTask task) => Of(task)[0];
}
