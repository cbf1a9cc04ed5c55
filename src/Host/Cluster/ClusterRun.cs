using ActorTrainer.Actors;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster;

/// <summary>A run that a command hands to a cluster and looks on at.</summary>
internal static class ClusterRun
{
    /// <summary>Keys that the coordinator's node reads, whatever a client says.</summary>
    private static readonly string[] OfCoordinator = ["cluster.stages", "cluster.spares", "cluster.copies", "cluster.wait_for_node"];

    /// <summary>Refuses settings of placement on the command line: they would have no effect.</summary>
    /// <exception cref="RefusedException">There are some.</exception>
    public static void CheckPlacement(CommandContext context)
    {
        foreach (var value in context.Configuration!.Values.Where(value => OfCoordinator.Contains(value.Key.Name) && value.Origin == "command line"))
        {
            throw new RefusedException(
                $"{value.Key.Name}={value.Typed}: placement is decided with the settings of the coordinator's node; give it to `actortrainer node role=coordinator …`. "
                + "For a run alone, pipeline.cut sets the stages.");
        }
    }

    /// <summary>Refuses the folder of a run that was trained without a cluster.</summary>
    /// <exception cref="RefusedException">It is one.</exception>
    public static void CheckFolder(RunFolder folder)
    {
        if (File.Exists(folder.Journal))
        {
            throw new RefusedException(
                $"{folder.Root} holds a run that was trained without a cluster ({Path.GetFileName(folder.Journal)}). Take another name=…, or continue it without cluster=….");
        }
    }

    private static readonly ClusterRunWords LookingOn = new(
        "the cluster has the run; Ctrl-C ends only the looking on", "no longer looking on; the run goes on. The same command looks on again");

    /// <summary>Submits and follows; Ctrl-C ends the looking on, not the run.</summary>
    /// <param name="context">The command.</param>
    /// <param name="cluster">The cluster.</param>
    /// <param name="name">Name of the run there.</param>
    /// <param name="settings">See <see cref="RunSettings"/>.</param>
    /// <param name="reporting">Told what happens; disposed at the end.</param>
    /// <param name="stop">Ends the looking on.</param>
    /// <param name="view">Goes around what is told; null: nothing.</param>
    /// <param name="words">What is said; null: what somebody is told who only looks on.</param>
    /// <returns>How the run ended; null: no longer looking on.</returns>
    /// <exception cref="RefusedException">The cluster cannot be reached, or does not take the run.</exception>
    public static async Task<RunProtocol.Outcome?> Follow(
        CommandContext context, ICluster cluster, string name, string settings, RunReporting reporting, CancellationToken stop,
        Func<IRunObserver, IRunObserver>? view = null, ClusterRunWords? words = null)
    {
        words ??= LookingOn;
        using var disposed = reporting;
        await cluster.Submit(name, settings, stop).ConfigureAwait(false);
        context.Out.WriteLine($"{name}: {words.Begun}.");
        try
        {
            return await cluster.Follow(name, view?.Invoke(reporting.Observer) ?? reporting.Observer, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }

        context.Out.WriteLine($"{name}: {words.Left}, `{StopLine(context, name)}` ends it.");
        return null;
    }

    /// <summary>The command that ends the run, with the words that name the cluster.</summary>
    private static string StopLine(CommandContext context, string name) => string.Join(' ',
    [
        "actortrainer", "stop", $"name={name}",
        .. context.Option("--config-dir") is { } folder ? ["--config-dir", folder] : Array.Empty<string>(),
        .. context.Words.Where(word => word.StartsWith("cluster", StringComparison.Ordinal) && !word.StartsWith("cluster.journal_connection", StringComparison.Ordinal)),
    ]);
}
