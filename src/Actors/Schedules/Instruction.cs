using MessagePack;

namespace ActorTrainer.Actors.Schedules;

/// <summary>Pipeline schedules.</summary>
public enum ScheduleKind
{
    /// <summary>All forwards, then all backwards (Huang et al., arXiv 1811.06965).</summary>
    GPipe,

    /// <summary>1F1B with flush: at most p−s micro-batches in flight at stage s (Narayanan et al., arXiv 2104.04473).</summary>
    OneForwardOneBackward,

    /// <summary>Interleaved 1F1B: every stage holds several model parts (arXiv 2104.04473, section 2.2).</summary>
    Interleaved,
}

/// <summary>What a stage does next. Sends never block; receives wait for their transfer.</summary>
public enum InstructionKind : byte
{
    /// <summary>Wait for the activation of (chunk, micro-batch); for the first part: the batch's inputs.</summary>
    ReceiveActivation,

    /// <summary>Run the part's forward; on the last part this yields the loss.</summary>
    Forward,

    /// <summary>Send the activation to the next part.</summary>
    SendActivation,

    /// <summary>Wait for the gradient of the activation that was sent.</summary>
    ReceiveGradient,

    /// <summary>Run the part's backward, adding to the gradients of its weights.</summary>
    Backward,

    /// <summary>Send the gradient of the part's input to the part before.</summary>
    SendGradient,

    /// <summary>Head's stage: send the decoder's gradient to the embedding's stage.</summary>
    SendTiedGradient,

    /// <summary>Embedding's stage: wait for the decoder's gradient.</summary>
    ReceiveTiedGradient,

    /// <summary>Embedding's stage: add the decoder's gradient to the token table's.</summary>
    ReduceTied,

    /// <summary>Report the squared norms of the gradients and wait for the coordinator's clip factor.</summary>
    ReduceNorm,

    /// <summary>Apply the optimiser to the stage's weights and clear the gradients.</summary>
    OptimiserStep,

    /// <summary>Embedding's stage: send the updated token table to the head's stage.</summary>
    SendTiedWeight,

    /// <summary>Head's stage: wait for the updated token table.</summary>
    ReceiveTiedWeight,
}

/// <summary>One instruction of a stage's step.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="MicroBatch">Micro-batch index in the step, −1 where none applies.</param>
/// <param name="Chunk">Model part on this stage (0-based among the stage's parts), −1 where none applies.</param>
[MessagePackObject]
public readonly record struct Instruction(
    [property: Key(0)] InstructionKind Kind,
    [property: Key(1)] int MicroBatch = -1,
    [property: Key(2)] int Chunk = -1)
{
    public override string ToString() => Chunk > 0 ? $"{Kind}({MicroBatch}, part {Chunk})" : MicroBatch >= 0 ? $"{Kind}({MicroBatch})" : $"{Kind}";
}
