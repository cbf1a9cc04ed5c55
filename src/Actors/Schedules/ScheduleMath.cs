namespace ActorTrainer.Actors.Schedules;

/// <summary>What the literature says about a schedule: idle time and memory (arXiv 2104.04473, sections 2.2 and 3).</summary>
public static class ScheduleMath
{
    /// <summary>
    /// Idle share of a step's pipeline time for equal stages: (p−1)/(m+p−1), interleaved (p−1)/(v·m+p−1). Exact for the
    /// interleaved schedule where p divides m, a lower bound elsewhere.
    /// </summary>
    /// <param name="stages">p.</param>
    /// <param name="microBatches">m.</param>
    /// <param name="chunks">v, parts per stage.</param>
    /// <exception cref="ArgumentException">The kind and the numbers do not fit together.</exception>
    public static double BubbleFraction(ScheduleKind kind, int stages, int microBatches, int chunks = 1)
    {
        PipelineSchedule.Check(kind, 0, stages, microBatches, chunks);
        return (stages - 1.0) / ((double)chunks * microBatches + stages - 1);
    }

    /// <summary>
    /// Most forwards of (micro-batch, part) that a stage has done without the backward, i.e. activations it must keep:
    /// m for GPipe, min(m, p−s) for 1F1B, warm-up + 1 for the interleaved schedule.
    /// </summary>
    /// <exception cref="ArgumentException">The kind and the numbers do not fit together.</exception>
    public static int MaxInFlight(ScheduleKind kind, int stage, int stages, int microBatches, int chunks = 1)
    {
        PipelineSchedule.Check(kind, stage, stages, microBatches, chunks);
        return Math.Min(microBatches * chunks, WarmUp(kind, stage, stages, microBatches, chunks) + 1);
    }

    /// <summary>
    /// Forwards that a stage runs before its first backward. Interleaved: 2(p−s−1) + (v−1)·g as in Megatron, where g is the
    /// largest group of micro-batches (Megatron's groups all have g = p).
    /// </summary>
    internal static int WarmUp(ScheduleKind kind, int stage, int stages, int microBatches, int chunks) => kind switch
    {
        ScheduleKind.GPipe => microBatches,
        ScheduleKind.OneForwardOneBackward => Math.Min(microBatches, stages - stage - 1),
        _ => Math.Min(microBatches * chunks, 2 * (stages - stage - 1) + (chunks - 1) * PipelineSchedule.Groups(stages, microBatches)[0]),
    };
}
