using System.Runtime.InteropServices;

namespace ActorTrainer.He.Ring;

/// <summary>Asks the system for pages of 2 MiB where it gives them on request (Linux, transparent huge pages "madvise"): large blocks then take fewer faults when they are new, and fewer walks through page tables when they are read.</summary>
internal static unsafe partial class HugePages
{
    private const long Smallest = 4L << 20;
    private const int Advice = 14;

    /// <param name="memory">At the beginning of a page. Advice only: where it is refused, nothing changes.</param>
    public static void Ask(void* memory, long bytes)
    {
        if (bytes >= Smallest && OperatingSystem.IsLinux())
        {
            _ = Advise(memory, (nuint)bytes, Advice);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* address, nuint length, int advice);
}
