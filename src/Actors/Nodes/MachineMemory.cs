using System.Globalization;

namespace ActorTrainer.Actors.Nodes;

/// <summary>Memory of the machine, as far as this process may use it.</summary>
public static class MachineMemory
{
    /// <summary>Bytes that are free now, within the limits of the process's container.</summary>
    public static long Free()
    {
        var limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return File.Exists("/proc/meminfo") && Available(File.ReadLines("/proc/meminfo")) is { } available ? Math.Min(limit, available) : limit;
    }

    /// <summary>Bytes of the line MemAvailable of /proc/meminfo, null when there is none.</summary>
    internal static long? Available(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["MemAvailable:", var kilobytes, ..] && long.TryParse(kilobytes, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            {
                return value << 10;
            }
        }

        return null;
    }
}
