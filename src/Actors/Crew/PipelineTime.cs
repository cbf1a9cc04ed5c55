namespace ActorTrainer.Actors.Crew;

/// <summary>Time of a step from the times of its stages.</summary>
public static class PipelineTime
{
    /// <summary>
    /// Seconds of a step without transfers: one micro-batch goes through all stages, the others follow at the pace of the slowest. For
    /// equal stages this is (m + p − 1) · T/p, interleaved (v·m + p − 1) · T/(p·v).
    /// </summary>
    /// <param name="stageSeconds">Forward and backward of one micro-batch through all parts of each stage.</param>
    /// <param name="microBatches">m.</param>
    /// <param name="chunks">v, parts per stage.</param>
    public static double Step(IReadOnlyList<double> stageSeconds, int microBatches, int chunks) =>
        stageSeconds.Sum() / chunks + (microBatches - 1.0 / chunks) * stageSeconds.Max();
}
