namespace ActorTrainer.Actors.Schedules;

/// <summary>
/// Which part of the model is where: part <c>chunk · stages + stage</c> is chunk <c>chunk</c> of stage <c>stage</c>. Part 0
/// has the embedding, the last part the head.
/// </summary>
/// <param name="Stages">Stages of the pipeline, at least 1.</param>
/// <param name="Chunks">Model parts on each stage, at least 1.</param>
public readonly record struct PipelineTopology(int Stages, int Chunks = 1)
{
    /// <summary>Parts of the whole model.</summary>
    public int Parts => Stages * Chunks;

    /// <summary>Index of the part that has the head.</summary>
    public int LastPart => Parts - 1;

    /// <summary>Stage of the head; the embedding is always on stage 0.</summary>
    public int HeadStage => Stages - 1;

    public int PartOf(int stage, int chunk) => chunk * Stages + stage;

    public int StageOf(int part) => part % Stages;

    public int ChunkOf(int part) => part / Stages;

    /// <summary>
    /// The stage at the other end of a send or receive of <paramref name="stage"/>; null for instructions without one,
    /// and for the receive of the batch's inputs by part 0. A stage that holds neighbouring parts is its own peer.
    /// </summary>
    public int? Peer(int stage, Instruction instruction)
    {
        var part = PartOf(stage, Math.Max(instruction.Chunk, 0));
        return instruction.Kind switch
        {
            InstructionKind.ReceiveActivation => part == 0 ? null : StageOf(part - 1),
            InstructionKind.SendGradient => StageOf(part - 1),
            InstructionKind.SendActivation or InstructionKind.ReceiveGradient => StageOf(part + 1),
            InstructionKind.SendTiedGradient or InstructionKind.ReceiveTiedWeight => 0,
            InstructionKind.ReceiveTiedGradient or InstructionKind.SendTiedWeight => HeadStage,
            _ => null,
        };
    }
}
