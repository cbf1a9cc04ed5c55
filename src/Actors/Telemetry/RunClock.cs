namespace ActorTrainer.Actors.Telemetry;

/// <summary>Monotonic seconds since the clock was made; one clock for all stages of a process.</summary>
/// <param name="time">Source of time stamps.</param>
/// <param name="origin">What the clock shows when it is made.</param>
public sealed class RunClock(TimeProvider time, double origin = 0)
{
    private readonly long _start = time.GetTimestamp();

    /// <summary>
    /// A clock that shows Unix time when it is made and goes on without jumps, so that spans of several nodes can be drawn together.
    /// </summary>
    public static RunClock Wall(TimeProvider time) => new(time, (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds);

    /// <summary>Seconds since the clock was made, on top of where it began.</summary>
    public double Seconds => origin + time.GetElapsedTime(_start).TotalSeconds;
}
