namespace ActorTrainer.Tests.Nodes;

/// <summary>A clock that goes on only when told.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _ticks = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow() => new(GetTimestamp(), TimeSpan.Zero);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}
