using ActorTrainer.Actors;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;

namespace ActorTrainer.Host.Cluster;

/// <summary><c>pretrain cluster=…</c>: hands a run to a cluster and looks on.</summary>
internal static class SubmitCommand
{
    /// <summary>Submits and follows; Ctrl-C ends the looking on, not the run.</summary>
    public static Task<int> Run(CommandContext context, CancellationToken stop) => Run(context, ClusterAccess.Connect, stop);

    /// <summary>The same with a way to reach a cluster.</summary>
    internal static async Task<int> Run(CommandContext context, Func<CommandContext, ICluster> connect, CancellationToken stop)
    {
        var run = context.Run;
        ClusterRun.CheckPlacement(context);
        using var folder = RunFolder.Open(run.RunFolder);
        ClusterRun.CheckFolder(folder);
        await using var cluster = connect(context);
        var reporting = new RunReporting(context, folder.Root, bubble: null, followed: true);
        var settings = RunSettings.Write(context.Configuration!, Environment.CurrentDirectory);
        var outcome = await ClusterRun.Follow(context, cluster, run.Name, settings, reporting, stop).ConfigureAwait(false);
        return outcome is null ? App.Failed : reporting.Finish(outcome);
    }
}
