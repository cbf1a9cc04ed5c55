namespace ActorTrainer.Actors.Schedules;

/// <summary>Compute time of one model part for one micro-batch, in any one unit.</summary>
public readonly record struct PartCost(double Forward, double Backward);

/// <summary>An instruction with its simulated times. A receive starts when the stage gets to it and ends when its transfer is there.</summary>
public readonly record struct TimedInstruction(Instruction Instruction, double Start, double End);

/// <summary>Outcome of a simulated step.</summary>
/// <param name="Stages">Per stage its instructions in order with their times.</param>
/// <param name="Makespan">Time from the start to the last forward or backward of any stage.</param>
/// <param name="Bubble">Idle share of that time over all stages, 1 − Σ busy / (stages · makespan), in [0, 1].</param>
public sealed record ScheduleSimulation(IReadOnlyList<IReadOnlyList<TimedInstruction>> Stages, double Makespan, double Bubble);

/// <summary>Programs of a pipeline's stages that wait for one another for ever.</summary>
public sealed class ScheduleDeadlockException : InvalidOperationException
{
    public ScheduleDeadlockException(string message)
        : base(message)
    {
    }
}
