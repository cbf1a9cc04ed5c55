using System.Globalization;

namespace ActorTrainer.Bench;

/// <summary>Memory of this process, in MiB, as the kernel counts it.</summary>
public static class ProcessMemory
{
    /// <summary>Largest resident set so far.</summary>
    public static double Peak => Status("VmHWM:");

    /// <summary>Resident set now.</summary>
    public static double Resident =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize / (1024.0 * 1024);

    private static double Status(string key)
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(key, StringComparison.Ordinal));
        return long.Parse(line[key.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) / 1024.0;
    }
}
