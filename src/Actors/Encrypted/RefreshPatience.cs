namespace ActorTrainer.Actors.Encrypted;

/// <summary>How long a stage waits for the data owner before it tries again. It never gives up by itself.</summary>
public sealed record RefreshPatience
{
    /// <summary>For a connection.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For the next bytes of an answer; the owner has to compute it in that time.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Pause before the second try; it doubles from try to try.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest pause.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The pause after so many tries without an answer.</summary>
    public TimeSpan Pause(int tries) => tries <= 0
        ? TimeSpan.Zero
        : TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstPause.Ticks << Math.Min(tries - 1, 16)));
}
