namespace ActorTrainer.Actors.Schedules;

/// <summary>
/// What each stage does in one step, as a pure function of the shape of the pipeline. Every schedule is the same three
/// phases over its own order of micro-batches: some forwards (warm-up), then one forward and one backward in turn, then the
/// remaining backwards. Each part runs its backwards in ascending micro-batch order whatever the schedule, so that the
/// gradient sums have the same bits.
/// </summary>
public static class PipelineSchedule
{
    /// <summary>The instructions of one training step of <paramref name="stage"/>, in order.</summary>
    /// <param name="stage">0-based stage.</param>
    /// <param name="stages">Stages of the pipeline.</param>
    /// <param name="microBatches">Micro-batches of the step; neither a multiple of nor as many as the stages are needed.</param>
    /// <param name="chunks">Model parts per stage: at least 2 for <see cref="ScheduleKind.Interleaved"/>, else 1.</param>
    /// <param name="tied">Whether the head's decoder is the embedding's table, so that its gradient and the new table travel.</param>
    /// <exception cref="ArgumentException">The kind and the numbers do not fit together.</exception>
    public static IReadOnlyList<Instruction> Build(ScheduleKind kind, int stage, int stages, int microBatches, int chunks = 1, bool tied = true)
    {
        Check(kind, stage, stages, microBatches, chunks);
        var topology = new PipelineTopology(stages, chunks);
        var forwards = Order(stages, microBatches, chunks, backward: false);
        var backwards = Order(stages, microBatches, chunks, backward: true);
        var warmUp = ScheduleMath.WarmUp(kind, stage, stages, microBatches, chunks);
        var program = new List<Instruction>(6 * forwards.Count + 6);
        for (var k = 0; k < forwards.Count + warmUp; k++)
        {
            if (k < forwards.Count)
            {
                AddForward(program, topology, stage, forwards[k]);
            }

            if (k >= warmUp)
            {
                AddBackward(program, topology, stage, backwards[k - warmUp]);
            }
        }

        AddEnd(program, topology, stage, tied);
        return program;
    }

    /// <summary>The instructions of one forward-only pass of <paramref name="stage"/>, in order.</summary>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public static IReadOnlyList<Instruction> Evaluation(int stage, int stages, int microBatches, int chunks = 1)
    {
        CheckShape(stage, stages, microBatches, chunks);
        var topology = new PipelineTopology(stages, chunks);
        var program = new List<Instruction>(3 * microBatches * chunks);
        foreach (var item in Order(stages, microBatches, chunks, backward: false))
        {
            AddForward(program, topology, stage, item);
        }

        return program;
    }

    /// <summary>
    /// Sizes of the groups of micro-batches that run through one chunk before the stage goes on to its next chunk. Megatron
    /// has groups of exactly p and asks for p | m (arXiv 2104.04473, section 2.2). Here m is spread evenly over ⌊m/p⌋ groups
    /// of p … 2p−1 (one of m where m &lt; p): a short last group would make the first stage wait for an activation whose
    /// sender waits for one of the first stage's backwards.
    /// </summary>
    internal static IReadOnlyList<int> Groups(int stages, int microBatches)
    {
        var count = Math.Max(1, microBatches / stages);
        return [.. Enumerable.Range(0, count).Select(i => microBatches / count + (i < microBatches % count ? 1 : 0))];
    }

    internal static void Check(ScheduleKind kind, int stage, int stages, int microBatches, int chunks)
    {
        CheckShape(stage, stages, microBatches, chunks);
        if (!Enum.IsDefined(kind))
        {
            throw new ArgumentException($"Unknown schedule {(int)kind}.", nameof(kind));
        }

        if (kind == ScheduleKind.Interleaved && chunks < 2)
        {
            throw new ArgumentException(
                $"The interleaved schedule needs at least 2 parts per stage, got {chunks}: set chunks to 2 or more, or take 1F1B.", nameof(chunks));
        }

        if (kind != ScheduleKind.Interleaved && chunks != 1)
        {
            throw new ArgumentException(
                $"The {kind} schedule has 1 part per stage, got {chunks}: set chunks to 1, or take the interleaved schedule.", nameof(chunks));
        }
    }

    private static void CheckShape(int stage, int stages, int microBatches, int chunks)
    {
        if (stages < 1)
        {
            throw new ArgumentException($"A pipeline needs at least 1 stage, got {stages}.", nameof(stages));
        }

        if (stage < 0 || stage >= stages)
        {
            throw new ArgumentException($"Stage {stage} is not one of the pipeline's {stages} stages (0 … {stages - 1}).", nameof(stage));
        }

        if (microBatches < 1)
        {
            throw new ArgumentException($"A step needs at least 1 micro-batch, got {microBatches}.", nameof(microBatches));
        }

        if (chunks < 1)
        {
            throw new ArgumentException($"A stage needs at least 1 model part, got {chunks}.", nameof(chunks));
        }
    }

    /// <summary>Order in which a stage runs (chunk, micro-batch): group by group, in a group chunk by chunk, backwards from the last chunk.</summary>
    private static List<(int Chunk, int MicroBatch)> Order(int stages, int microBatches, int chunks, bool backward)
    {
        var order = new List<(int, int)>(microBatches * chunks);
        var first = 0;
        foreach (var size in Groups(stages, microBatches))
        {
            for (var c = 0; c < chunks; c++)
            {
                for (var i = 0; i < size; i++)
                {
                    order.Add((backward ? chunks - 1 - c : c, first + i));
                }
            }

            first += size;
        }

        return order;
    }

    private static void AddForward(List<Instruction> program, PipelineTopology topology, int stage, (int Chunk, int MicroBatch) item)
    {
        program.Add(new Instruction(InstructionKind.ReceiveActivation, item.MicroBatch, item.Chunk));
        program.Add(new Instruction(InstructionKind.Forward, item.MicroBatch, item.Chunk));
        if (topology.PartOf(stage, item.Chunk) != topology.LastPart)
        {
            program.Add(new Instruction(InstructionKind.SendActivation, item.MicroBatch, item.Chunk));
        }
    }

    private static void AddBackward(List<Instruction> program, PipelineTopology topology, int stage, (int Chunk, int MicroBatch) item)
    {
        var part = topology.PartOf(stage, item.Chunk);
        if (part != topology.LastPart)
        {
            program.Add(new Instruction(InstructionKind.ReceiveGradient, item.MicroBatch, item.Chunk));
        }

        program.Add(new Instruction(InstructionKind.Backward, item.MicroBatch, item.Chunk));
        if (part != 0)
        {
            program.Add(new Instruction(InstructionKind.SendGradient, item.MicroBatch, item.Chunk));
        }
    }

    /// <summary>The tied table's gradient goes to its owner before the norm is taken, the new table comes back after the update.</summary>
    private static void AddEnd(List<Instruction> program, PipelineTopology topology, int stage, bool tied)
    {
        var head = tied && stage == topology.HeadStage;
        var embedding = tied && stage == 0;
        if (head && !embedding)
        {
            program.Add(new Instruction(InstructionKind.SendTiedGradient));
        }

        if (embedding)
        {
            if (!head)
            {
                program.Add(new Instruction(InstructionKind.ReceiveTiedGradient));
            }

            program.Add(new Instruction(InstructionKind.ReduceTied));
        }

        program.Add(new Instruction(InstructionKind.ReduceNorm));
        program.Add(new Instruction(InstructionKind.OptimiserStep));
        if (embedding && !head)
        {
            program.Add(new Instruction(InstructionKind.SendTiedWeight));
        }

        if (head && !embedding)
        {
            program.Add(new Instruction(InstructionKind.ReceiveTiedWeight));
        }
    }
}
