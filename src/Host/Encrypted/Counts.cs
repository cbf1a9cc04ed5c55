using System.Globalization;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Encrypted;

/// <summary>Numbers of steps and rows as options of commands.</summary>
internal static class Counts
{
    /// <summary>The number; 0 where nothing was said.</summary>
    /// <exception cref="RefusedException">It is none, or below 1.</exception>
    public static long Parse(string option, string? text) => text is null ? 0
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 ? count
        : throw new RefusedException($"{option}={text}: expected a whole number, 1 or more.");
}
