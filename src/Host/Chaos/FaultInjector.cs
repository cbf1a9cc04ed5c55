namespace ActorTrainer.Host.Chaos;

/// <summary>Does faults to a target, and undoes those that last.</summary>
/// <param name="target">The cluster.</param>
/// <param name="time">Clock.</param>
internal sealed class FaultInjector(IFaultTarget target, TimeProvider time)
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);

    /// <summary>How long to wait for a node to run, or for a checkpoint to be written.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Does a fault and returns when it is over; a lasting one is undone also when cancelled.</summary>
    /// <param name="fault">What to do.</param>
    /// <param name="struck">Called at the moment it takes effect; twice for two kills.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>What was done otherwise than planned, for people; empty: nothing.</returns>
    public async Task<string> Inject(Fault fault, Action struck, CancellationToken cancellation)
    {
        var node = fault.Nodes[0];
        switch (fault.Kind)
        {
            case FaultKind.KillStage or FaultKind.KillCoordinator:
                return await Kill(node, struck, cancellation).ConfigureAwait(false);
            case FaultKind.KillTwo:
                var first = await Kill(node, struck, cancellation).ConfigureAwait(false);
                await Task.Delay(fault.Duration, time, cancellation).ConfigureAwait(false);
                var second = await Kill(fault.Nodes[1], struck, cancellation).ConfigureAwait(false);
                return string.Join("; ", new[] { first, second }.Where(note => note.Length > 0));
            case FaultKind.KillDuringCheckpoint:
                var note = await TemporaryFile(node, cancellation).ConfigureAwait(false) ? "" : "no checkpoint was being written";
                return await Kill(node, struck, cancellation).ConfigureAwait(false) is { Length: > 0 } other ? other : note;
            case FaultKind.Slow:
                struck();
                await target.Slow(node, FaultPlan.SlowShare, fault.Duration, cancellation).ConfigureAwait(false);
                return "";
            case FaultKind.Hold:
                await For(fault.Duration, () => target.Hold(node), () => target.Release(node), struck, cancellation).ConfigureAwait(false);
                return "";
            case FaultKind.CutLink or FaultKind.Partition when target.CanCut:
                var others = fault.Kind == FaultKind.CutLink ? [fault.Nodes[1]] : target.Nodes.Where(other => other != node).ToList();
                await For(
                    fault.Duration, () => others.ForEach(other => target.Cut(node, other)), () => others.ForEach(other => target.Heal(node, other)), struck,
                    cancellation).ConfigureAwait(false);
                return "";
            default:
                await For(fault.Duration, () => target.Pause(node), () => target.Resume(node), struck, cancellation).ConfigureAwait(false);
                return fault.Kind == FaultKind.Pause ? "" : $"{node} paused instead";
        }
    }

    private async Task For(TimeSpan duration, Action begin, Action end, Action struck, CancellationToken cancellation)
    {
        try
        {
            begin();
            struck();
            await Task.Delay(duration, time, cancellation).ConfigureAwait(false);
        }
        finally
        {
            end();
        }
    }

    /// <summary>A node that is being started again is killed once it runs.</summary>
    private async Task<string> Kill(string node, Action struck, CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        while (!target.Kill(node))
        {
            if (time.GetElapsedTime(began) > Patience)
            {
                struck();
                return $"{node} did not run";
            }

            await Task.Delay(Retry, time, cancellation).ConfigureAwait(false);
        }

        struck();
        return "";
    }

    /// <summary>Waits until a node writes a file under a temporary name.</summary>
    private async Task<bool> TemporaryFile(string node, CancellationToken cancellation)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(target.FolderOf(node), "*.tmp") { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName };
        watcher.Created += (_, _) => seen.TrySetResult();
        watcher.EnableRaisingEvents = true;
        try
        {
            await seen.Task.WaitAsync(Patience, time, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
