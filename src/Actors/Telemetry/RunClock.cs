namespace ActorTrainer.Actors.Telemetry;

/// <summary>Monotonic seconds since the clock was made; one clock for all stages of a process.</summary>
/// <param name="time">Source of time stamps.</param>
public sealed class RunClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    /// <summary>Seconds since the clock was made.</summary>
    public double Seconds => time.GetElapsedTime(_start).TotalSeconds;
}
