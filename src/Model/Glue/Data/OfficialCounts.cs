namespace ActorTrainer.Model.Glue;

/// <summary>Rows of the official splits (Wang et al., arXiv 1804.07461, and the published files).</summary>
internal static class OfficialCounts
{
    private static readonly Dictionary<(GlueTask, string), int> Counts = new()
    {
        [(GlueTask.Cola, "train")] = 8_551,
        [(GlueTask.Cola, "dev")] = 1_043,
        [(GlueTask.Cola, "test")] = 1_063,
        [(GlueTask.Mrpc, "train")] = 3_668,
        [(GlueTask.Mrpc, "dev")] = 408,
        [(GlueTask.Mrpc, "test")] = 1_725,
        [(GlueTask.Rte, "train")] = 2_490,
        [(GlueTask.Rte, "dev")] = 277,
        [(GlueTask.Rte, "test")] = 3_000,
        [(GlueTask.Stsb, "train")] = 5_749,
        [(GlueTask.Stsb, "dev")] = 1_500,
        [(GlueTask.Stsb, "test")] = 1_379,
        [(GlueTask.Sst2, "train")] = 67_349,
        [(GlueTask.Sst2, "dev")] = 872,
        [(GlueTask.Sst2, "test")] = 1_821,
        [(GlueTask.Qnli, "train")] = 104_743,
        [(GlueTask.Qnli, "dev")] = 5_463,
        [(GlueTask.Qnli, "test")] = 5_463,
        [(GlueTask.Qqp, "train")] = 363_846,
        [(GlueTask.Qqp, "dev")] = 40_430,
        [(GlueTask.Qqp, "test")] = 390_965,
        [(GlueTask.Mnli, "train")] = 392_702,
        [(GlueTask.Mnli, "dev_matched")] = 9_815,
        [(GlueTask.Mnli, "dev_mismatched")] = 9_832,
        [(GlueTask.Mnli, "test_matched")] = 9_796,
        [(GlueTask.Mnli, "test_mismatched")] = 9_847,
        [(GlueTask.Wnli, "train")] = 635,
        [(GlueTask.Wnli, "dev")] = 71,
        [(GlueTask.Wnli, "test")] = 146,
    };

    /// <summary>Official rows of a split; null for a split that GLUE does not have.</summary>
    public static int? Of(GlueTask task, string split) => Counts.TryGetValue((task, split), out var count) ? count : null;
}
