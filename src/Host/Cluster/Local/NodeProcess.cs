using System.Diagnostics;

namespace ActorTrainer.Host.Cluster.Local;

/// <summary>One life of a node: a child process, its output and its end.</summary>
internal sealed class NodeProcess : IDisposable
{
    private readonly Process _process;
    private readonly TaskCompletionSource<int> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private NodeProcess(Process process) => _process = process;

    /// <summary>The process.</summary>
    public ProcessIdentity Identity { get; private set; }

    /// <summary>Ends with the exit code; 128 + the signal that ended it.</summary>
    public Task<int> End => _end.Task;

    /// <summary>Starts a node.</summary>
    /// <param name="spec">What to start.</param>
    /// <param name="line">Told every line of output, from two threads.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">It cannot be started.</exception>
    public static NodeProcess Start(NodeSpec spec, Action<string> line)
    {
        var start = new ProcessStartInfo(spec.File, spec.Words)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment[ParentWatch.Variable] = ProcessIdentity.Current.ToString();
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var node = new NodeProcess(process);
        void OnLine(object sender, DataReceivedEventArgs received)
        {
            if (received.Data is { } text)
            {
                line(text);
            }
        }

        process.OutputDataReceived += OnLine;
        process.ErrorDataReceived += OnLine;
        process.Exited += (_, _) => node._end.TrySetResult(process.ExitCode);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        node.Identity = ProcessIdentity.Of(process.Id) ?? new ProcessIdentity(process.Id, 0);
        return node;
    }

    /// <summary>Sends a signal unless the process has ended.</summary>
    public bool Signal(int signal) => !End.IsCompleted && Signals.Send(Identity.Id, signal);

    /// <summary>Frees the handles; the process itself stays as it is.</summary>
    public void Dispose() => _process.Dispose();
}
