using MessagePack;

namespace ActorTrainer.Actors.Protocol;

/// <summary>What a program of a stage is for.</summary>
public enum Phase : byte
{
    /// <summary>Forward, backward and update.</summary>
    Train = 0,

    /// <summary>Forward only, on held-out data, after the step of the same number.</summary>
    Evaluate = 1,
}

/// <summary>What travels between stages.</summary>
public enum TransferKind : byte
{
    /// <summary>Inputs of the first part, or the activation of the part before.</summary>
    Activation,

    /// <summary>What the last part compares its predictions with.</summary>
    Targets,

    /// <summary>Gradient of the activation that the receiving part sent.</summary>
    Gradient,

    /// <summary>The decoder's gradient on its way to the token table.</summary>
    TiedGradient,

    /// <summary>The updated token table on its way to the decoder.</summary>
    TiedWeight,
}

/// <summary>Identity of one transfer: equal keys mean the same content, so a repeated one can be dropped.</summary>
/// <param name="Run">Run id.</param>
/// <param name="Attempt">Attempt of the run; transfers of an earlier attempt are stale.</param>
/// <param name="Step">1-based step.</param>
/// <param name="Phase">Training or evaluation.</param>
/// <param name="Kind">What it is.</param>
/// <param name="MicroBatch">Micro-batch of the step, −1 for the tied table.</param>
/// <param name="Part">Model part (chunk × stages + stage) that receives it.</param>
[MessagePackObject]
public readonly record struct TransferKey(
    [property: Key(0)] string Run,
    [property: Key(1)] int Attempt,
    [property: Key(2)] long Step,
    [property: Key(3)] Phase Phase,
    [property: Key(4)] TransferKind Kind,
    [property: Key(5)] int MicroBatch,
    [property: Key(6)] int Part)
{
    /// <summary>Whether this belongs to a program before (negative), in (zero) or after (positive) the given one.</summary>
    public int CompareToProgram(int attempt, long step, Phase phase)
    {
        var byAttempt = Attempt.CompareTo(attempt);
        var byStep = byAttempt != 0 ? byAttempt : Step.CompareTo(step);
        return byStep != 0 ? byStep : Phase.CompareTo(phase);
    }

    public override string ToString() => $"{Kind} of micro-batch {MicroBatch} for part {Part} (step {Step}, attempt {Attempt})";
}
