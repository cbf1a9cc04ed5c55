using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit.Sdk;

namespace ActorTrainer.Tests.Processes;

/// <summary>
/// One process of the program as it was built. Waiting is by events (a line of output, the end), never by sleeping; what
/// takes too long fails with all the output there is, and no process outlives its object.
/// </summary>
internal sealed partial class ProgramProcess : IDisposable
{
    private const int Interrupted = 2;
    private const int Terminated = 15;
    private const int Continued = 18;
    private const int Stopped = 19;
    private const int Killed = 128 + 9;

    /// <summary>Far above what anything here takes; a run that hangs ends here.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly Process _process;
    private readonly string _command;
    private readonly List<string> _lines = [];
    private int _openStreams = 2;

    private ProgramProcess(Process process, string command)
    {
        _process = process;
        _command = command;
    }

    /// <summary>Standard output and standard error so far, in order of arrival.</summary>
    public string Output
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>Starts the program in a folder.</summary>
    public static ProgramProcess Start(string folder, IEnumerable<string> words)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "actortrainer.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. words])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment.Remove("ACTORTRAINER_TRACE");
        start.Environment["DOTNET_TieredPGO"] = "0"; // processes end before a profile of them pays
        var process = new Process { StartInfo = start };
        var started = new ProgramProcess(process, "actortrainer " + string.Join(' ', words));
        process.Start();
        process.StandardInput.Close();
        started.Read(process.StandardOutput);
        started.Read(process.StandardError);
        return started;
    }

    /// <summary>Waits until the output holds a line that <paramref name="wanted"/> accepts and returns the first such line.</summary>
    public string WaitForLine(Predicate<string> wanted, string description)
    {
        var deadline = Stopwatch.StartNew();
        lock (_lines)
        {
            for (var read = 0; ; read++)
            {
                while (read == _lines.Count)
                {
                    var left = Patience - deadline.Elapsed;
                    if (_openStreams == 0 || left <= TimeSpan.Zero || !Monitor.Wait(_lines, left))
                    {
                        throw Failure($"{(_openStreams == 0 ? "ended" : $"went on for {Patience}")} without {description}");
                    }
                }

                if (wanted(_lines[read]))
                {
                    return _lines[read];
                }
            }
        }
    }

    /// <summary>Waits until the run has reported a step of at least <paramref name="step"/>.</summary>
    public void WaitForStep(long step) => WaitForLine(line => StepOf(line) >= step, $"a line of step {step} or later");

    /// <summary>Waits for the end and returns the exit code.</summary>
    public int WaitForEnd()
    {
        if (!_process.WaitForExit(Patience))
        {
            throw Failure($"did not end within {Patience}");
        }

        lock (_lines)
        {
            while (_openStreams > 0)
            {
                Monitor.Wait(_lines); // until the last line has arrived
            }
        }

        return _process.ExitCode;
    }

    /// <summary>Fails with the output unless the process ends with this exit code.</summary>
    public ProgramProcess ShouldEndWith(int exitCode)
    {
        var found = WaitForEnd();
        return found == exitCode ? this : throw Failure($"ended with exit code {found}, expected {exitCode}");
    }

    /// <summary>Fails with the output unless it holds each of the texts.</summary>
    public ProgramProcess ShouldSay(params string[] texts)
    {
        var output = Output;
        foreach (var text in texts)
        {
            if (!output.Contains(text, StringComparison.Ordinal))
            {
                throw Failure($"did not say '{text}'");
            }
        }

        return this;
    }

    /// <summary><c>kill -9</c>; false when the process was over before it came.</summary>
    public bool TryKill()
    {
        _process.Kill(entireProcessTree: true);
        return WaitForEnd() == Killed;
    }

    /// <summary><c>kill -9</c>, which must find the process still at work.</summary>
    public void Kill()
    {
        _process.Kill(entireProcessTree: true);
        ShouldEndWith(Killed);
    }

    /// <summary>Ctrl-C.</summary>
    public void Interrupt()
    {
        // A background job of a plain shell ignores SIGINT, and so do its children; there SIGTERM, which asks for the same, stands in.
        var ignored = File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal));
        var mask = Convert.ToUInt64(ignored.Split(':')[1].Trim(), 16);
        Signal(_process.Id, (mask & (1UL << (Interrupted - 1))) == 0 ? Interrupted : Terminated);
    }

    /// <summary>Stands still until <see cref="Resume"/>.</summary>
    public void Pause() => Signal(_process.Id, Stopped);

    /// <summary>Goes on after <see cref="Pause"/>.</summary>
    public void Resume() => Signal(_process.Id, Continued);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    /// <summary>Step of a line of progress, -1 for another line.</summary>
    private static long StepOf(string line) =>
        line.StartsWith("step ", StringComparison.Ordinal) && line.IndexOf('/') is > 0 and var slash && long.TryParse(line.AsSpan(5, slash - 5), out var step) ? step : -1;

    /// <summary>Reads a stream on a thread of its own: the other tests may keep all threads of the pool waiting, and lines must not come late.</summary>
    private void Read(StreamReader stream) => new Thread(() =>
    {
        for (string? line; (line = stream.ReadLine()) is not null;)
        {
            lock (_lines)
            {
                _lines.Add(line);
                Monitor.PulseAll(_lines);
            }
        }

        lock (_lines)
        {
            _openStreams--;
            Monitor.PulseAll(_lines);
        }
    })
    { IsBackground = true, Name = "output" }.Start();

    private XunitException Failure(string what) => new($"{_command}\n{what}. Its output:\n{Output}");

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int process, int signal);
}
