using System.Globalization;
using ActorTrainer.Host.Views;

namespace ActorTrainer.Host.Encrypted;

/// <summary>Speed and time left of work that is counted in bytes or pieces; the clock begins with the first look.</summary>
/// <param name="time">Clock.</param>
internal sealed class Pace(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    /// <summary>Bytes a second and the time left, when all pieces take equally long.</summary>
    /// <param name="bytes">Done.</param>
    /// <param name="totalBytes">Of all.</param>
    public string Describe(long bytes, long totalBytes) => Describe(bytes, bytes, totalBytes);

    /// <summary>The time left, when all pieces take equally long.</summary>
    public string Left(long done, long total) => Format.Duration(done > 0 ? time.GetElapsedTime(_start) * ((double)(total - done) / done) : null);

    /// <summary>The same, where pieces are counted apart from bytes.</summary>
    /// <param name="bytes">Done since the beginning of this work.</param>
    /// <param name="done">Pieces done since then.</param>
    /// <param name="total">Pieces that were to do then.</param>
    public string Describe(long bytes, long done, long total)
    {
        var seconds = time.GetElapsedTime(_start).TotalSeconds;
        var speed = seconds > 0 ? bytes / seconds / 1e6 : 0;
        TimeSpan? left = done > 0 ? TimeSpan.FromSeconds(seconds * (total - done) / done) : null;
        return string.Create(CultureInfo.InvariantCulture, $"{speed:0.0} MB/s, {Format.Duration(left)} left");
    }
}
