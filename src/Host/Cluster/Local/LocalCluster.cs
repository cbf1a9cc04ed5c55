using System.ComponentModel;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster.Local;

/// <summary>
/// Supervises the processes of a cluster on this machine: one that ends is started again after a while, and each can be killed, paused or
/// kept away. Nothing is left running: not after <see cref="Stop"/>, and not when this process is killed (the nodes watch their parent, and
/// the next supervisor of the folder ends what did not notice).
/// </summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Member> _members = [];
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly RestartBackoff _backoff;
    private readonly Action<NodeEvent> _onEvent;
    private readonly Action<string, string> _onLine;
    private PidFile? _pids;
    private bool _stopping;

    /// <summary>A cluster that has not been started.</summary>
    /// <param name="folder">Folder of the cluster; each node has a folder of its name in it.</param>
    /// <param name="specs">The nodes.</param>
    /// <param name="time">Clock.</param>
    /// <param name="backoff">Times between an end and the next start; null: 0.1 s to 2 s.</param>
    /// <param name="onEvent">Told what becomes of the processes; quick, must not call back.</param>
    /// <param name="onLine">Told node and line of everything they say.</param>
    public LocalCluster(
        string folder,
        IReadOnlyList<NodeSpec> specs,
        TimeProvider time,
        RestartBackoff? backoff = null,
        Action<NodeEvent>? onEvent = null,
        Action<string, string>? onLine = null)
    {
        _folder = Path.GetFullPath(folder);
        _time = time;
        _backoff = backoff ?? new RestartBackoff();
        _onEvent = onEvent ?? (_ => { });
        _onLine = onLine ?? ((_, _) => { });
        foreach (var spec in specs)
        {
            _members.Add(spec.Name, new Member(spec));
        }
    }

    /// <summary>Folder of a node.</summary>
    public string FolderOf(string node) => Path.Combine(_folder, Find(node).Spec.Name);

    /// <summary>The process of each node that runs now.</summary>
    public IReadOnlyDictionary<string, ProcessIdentity> Running
    {
        get
        {
            lock (_gate)
            {
                return _members.Values.Where(member => member.Alive).ToDictionary(member => member.Spec.Name, member => member.Process!.Identity);
            }
        }
    }

    /// <summary>Every process that was ever started, for the check that none is left.</summary>
    public IReadOnlyList<ProcessIdentity> Ever
    {
        get
        {
            lock (_gate)
            {
                return [.. _members.Values.SelectMany(member => member.Lives)];
            }
        }
    }

    /// <summary>Starts all nodes.</summary>
    /// <exception cref="RefusedException">Another supervisor works in the folder, or the program cannot be started.</exception>
    public void Start()
    {
        lock (_gate)
        {
            _pids = PidFile.Claim(_folder, (name, process) => Say(name, NodeEventKind.LeftoverEnded, $"ended process {process.Id}, left by a supervisor that is gone"));
            foreach (var member in _members.Values)
            {
                member.Log = new NodeLog(Path.Combine(_folder, member.Spec.Name));
                if (Launch(member) is { } problem)
                {
                    throw new RefusedException($"{member.Spec.File} cannot be started: {problem}");
                }
            }
        }
    }

    /// <summary><c>kill -9</c>; the node is started again after a while.</summary>
    /// <returns>False when it does not run at the moment.</returns>
    public bool Kill(string node) => Signal(node, Signals.Kill, NodeEventKind.Killed, "killed");

    /// <summary>Stops the process where it is, until <see cref="Resume"/>.</summary>
    public bool Pause(string node) => Signal(node, Signals.Stop, NodeEventKind.Paused, "paused");

    /// <summary>Lets a paused process go on.</summary>
    public bool Resume(string node) => Signal(node, Signals.Continue, NodeEventKind.Resumed, "goes on");

    /// <summary>Kills a node and keeps it away until <see cref="Release"/>.</summary>
    public void Hold(string node)
    {
        lock (_gate)
        {
            var member = Find(node);
            member.Held = true;
            member.CancelRestart();
            member.Process?.Signal(Signals.Kill);
            Say(node, NodeEventKind.Held, "killed and kept away");
        }
    }

    /// <summary>Starts a node that was kept away.</summary>
    public void Release(string node)
    {
        lock (_gate)
        {
            var member = Find(node);
            member.Held = false;
            if (!_stopping && !member.Alive && !member.RestartPending)
            {
                Relaunch(member);
            }
        }
    }

    /// <summary>Gives a node only a share of its time: it is paused and resumed several times a second.</summary>
    /// <param name="node">The node.</param>
    /// <param name="share">Share of time it runs, in (0, 1).</param>
    /// <param name="duration">How long.</param>
    /// <param name="cancellation">Ends it early; the node goes on at full speed then.</param>
    public async Task Slow(string node, double share, TimeSpan duration, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(share, 1);
        var period = TimeSpan.FromMilliseconds(100);
        var began = _time.GetTimestamp();
        try
        {
            while (_time.GetElapsedTime(began) < duration)
            {
                SignalQuietly(node, Signals.Stop);
                await Task.Delay(period * (1 - share), _time, cancellation).ConfigureAwait(false);
                SignalQuietly(node, Signals.Continue);
                await Task.Delay(period * share, _time, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            SignalQuietly(node, Signals.Continue);
        }
    }

    /// <summary>Asks all nodes to end (SIGTERM), waits, and kills those that have not.</summary>
    /// <param name="patience">How long to wait.</param>
    public async Task Stop(TimeSpan patience)
    {
        List<NodeProcess> alive;
        lock (_gate)
        {
            _stopping = true;
            foreach (var member in _members.Values)
            {
                member.CancelRestart();
            }

            alive = [.. _members.Values.Where(member => member.Alive).Select(member => member.Process!)];
            alive.ForEach(process => process.Signal(Signals.Continue)); // a paused process would not see the next signal
            alive.ForEach(process => process.Signal(Signals.Terminate));
        }

        var ends = Task.WhenAll(alive.Select(process => process.End));
        try
        {
            await ends.WaitAsync(patience, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            alive.ForEach(process => process.Signal(Signals.Kill));
            await ends.ConfigureAwait(false);
        }

        lock (_gate)
        {
            foreach (var member in _members.Values)
            {
                member.Dispose();
            }

            _pids?.Remove();
            _pids = null;
        }
    }

    /// <summary>Ends what still runs, at once.</summary>
    public async ValueTask DisposeAsync() => await Stop(TimeSpan.Zero).ConfigureAwait(false);

    private Member Find(string node) => _members.TryGetValue(node, out var member)
        ? member
        : throw new ArgumentException($"There is no node {node}; nodes are {string.Join(", ", _members.Keys)}.", nameof(node));

    private bool Signal(string node, int signal, NodeEventKind kind, string done)
    {
        lock (_gate)
        {
            var sent = Find(node).Process?.Signal(signal) ?? false;
            if (sent)
            {
                Say(node, kind, done);
            }

            return sent;
        }
    }

    private void SignalQuietly(string node, int signal)
    {
        lock (_gate)
        {
            Find(node).Process?.Signal(signal);
        }
    }

    /// <summary>Starts a process; the reason when it cannot be. Under the lock.</summary>
    private string? Launch(Member member)
    {
        try
        {
            var log = member.Log;
            var process = NodeProcess.Start(member.Spec, line =>
            {
                log?.Write(line);
                _onLine(member.Spec.Name, line);
            });
            member.Process?.Dispose();
            member.Process = process;
            member.StartedAt = _time.GetTimestamp();
            member.Lives.Add(process.Identity);
            process.End.ContinueWith(end => OnEnd(member, process, end.Result), TaskScheduler.Default);
            WritePids();
            Say(member.Spec.Name, NodeEventKind.Started, $"started as process {process.Identity.Id}");
            return null;
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            return e.Message;
        }
    }

    private void OnEnd(Member member, NodeProcess process, int code)
    {
        lock (_gate)
        {
            if (member.Process != process)
            {
                return;
            }

            var how = code > 128 ? $"ended by signal {code - 128}" : $"ended with exit code {code}";
            if (_stopping)
            {
                Say(member.Spec.Name, NodeEventKind.Stopped, how);
                return;
            }

            member.Ends = _backoff.Count(member.Ends, _time.GetElapsedTime(member.StartedAt));
            WritePids();
            if (member.Held)
            {
                Say(member.Spec.Name, NodeEventKind.Ended, how);
                return;
            }

            RestartLater(member, how, NodeEventKind.Ended);
        }
    }

    private void RestartLater(Member member, string how, NodeEventKind kind)
    {
        var wait = _backoff.After(member.Ends);
        Say(member.Spec.Name, kind, $"{how}; starts again in {wait.TotalSeconds:0.0} s");
        member.RestartAfter(wait, _time, () =>
        {
            lock (_gate)
            {
                if (!_stopping && !member.Held && !member.Alive)
                {
                    Relaunch(member);
                }
            }
        });
    }

    private void Relaunch(Member member)
    {
        member.CancelRestart();
        if (Launch(member) is { } problem)
        {
            member.Ends++;
            RestartLater(member, $"cannot be started: {problem}", NodeEventKind.Failed);
        }
    }

    private void WritePids() => _pids?.Write(_members.Values.Where(member => member.Alive).Select(member => (member.Spec.Name, member.Process!.Identity)));

    private void Say(string node, NodeEventKind kind, string text) => _onEvent(new NodeEvent(node, kind, text));

    /// <summary>A node and its process of the moment.</summary>
    private sealed class Member(NodeSpec spec) : IDisposable
    {
        private ITimer? _restart;

        public NodeSpec Spec { get; } = spec;

        public NodeProcess? Process { get; set; }

        public NodeLog? Log { get; set; }

        public long StartedAt { get; set; }

        public int Ends { get; set; }

        public bool Held { get; set; }

        public List<ProcessIdentity> Lives { get; } = [];

        public bool Alive => Process is { End.IsCompleted: false };

        public bool RestartPending => _restart is not null;

        public void RestartAfter(TimeSpan wait, TimeProvider time, Action start) =>
            _restart = time.CreateTimer(_ => start(), null, wait, Timeout.InfiniteTimeSpan);

        public void CancelRestart()
        {
            _restart?.Dispose();
            _restart = null;
        }

        public void Dispose()
        {
            CancelRestart();
            Process?.Dispose();
            Process = null;
            Log?.Dispose();
        }
    }
}
