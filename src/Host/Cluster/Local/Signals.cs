using System.Runtime.InteropServices;

namespace ActorTrainer.Host.Cluster.Local;

/// <summary>Signals that .NET has no words for; numbers of Linux on x64 and Arm.</summary>
internal static partial class Signals
{
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>Sends a signal; false when there is no such process any more.</summary>
    public static bool Send(int process, int signal) => SendSignal(process, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
