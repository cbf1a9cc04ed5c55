using System.Diagnostics;
using System.Globalization;

namespace ActorTrainer.Host.Cluster.Local;

/// <summary>One process, told apart from a later one that got the same number.</summary>
/// <param name="Id">Process id.</param>
/// <param name="Start">When it started: clock ticks since the machine booted (Linux).</param>
internal readonly record struct ProcessIdentity(int Id, long Start)
{
    /// <summary>This process.</summary>
    public static ProcessIdentity Current { get; } = Of(Environment.ProcessId) ?? new ProcessIdentity(Environment.ProcessId, 0);

    /// <summary>Whether it still runs; one that has ended and was not collected by its parent does not.</summary>
    public bool IsAlive => Of(Id) == this;

    /// <summary>The process that has a number now; null when there is none.</summary>
    public static ProcessIdentity? Of(int id)
    {
        if (!OperatingSystem.IsLinux())
        {
            return OfOther(id);
        }

        string text;
        try
        {
            text = File.ReadAllText($"/proc/{id}/stat");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        // The second field is the program's name in brackets and may hold anything, so counting begins behind it.
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return fields[0] is "Z" or "X" ? null : new ProcessIdentity(id, long.Parse(fields[19], CultureInfo.InvariantCulture));
    }

    /// <summary>Reads what <see cref="ToString"/> wrote; null when it is something else.</summary>
    public static ProcessIdentity? Parse(string? text) =>
        text?.Split(':') is [var id, var start]
        && int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && long.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            ? new ProcessIdentity(number, ticks)
            : null;

    /// <summary><c>id:start</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Id}:{Start}");

    private static ProcessIdentity? OfOther(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return process.HasExited ? null : new ProcessIdentity(id, new DateTimeOffset(process.StartTime).ToUnixTimeSeconds());
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
