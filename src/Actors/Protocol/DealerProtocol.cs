using MessagePack;

namespace ActorTrainer.Actors.Protocol;

/// <summary>Messages between the coordinator and the actor that deals out batches.</summary>
public static class DealerProtocol
{
    /// <summary>Send the inputs and targets of a step to the first and last part.</summary>
    /// <param name="Run">Run id.</param>
    /// <param name="Attempt">Attempt.</param>
    /// <param name="Step">Step.</param>
    /// <param name="Phase">Training: consecutive sequences of the run; evaluation: held-out blocks.</param>
    /// <param name="First">Number of the step's first sequence (training) or block (evaluation).</param>
    /// <param name="Rows">Sequences of each micro-batch.</param>
    /// <param name="Stages">Stages of the pipeline.</param>
    /// <param name="Parts">Parts of the model.</param>
    [MessagePackObject]
    public sealed record Deal(
        [property: Key(0)] string Run,
        [property: Key(1)] int Attempt,
        [property: Key(2)] long Step,
        [property: Key(3)] Phase Phase,
        [property: Key(4)] long First,
        [property: Key(5)] IReadOnlyList<int> Rows,
        [property: Key(6)] int Stages,
        [property: Key(7)] int Parts) : IAttemptMessage;
}
