using ActorTrainer.Actors;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster;

/// <summary><c>pretrain cluster=…</c>: hands a run to a cluster and looks on.</summary>
internal static class SubmitCommand
{
    /// <summary>Keys that the coordinator's node reads, whatever a client says.</summary>
    private static readonly string[] OfCoordinator = ["cluster.stages", "cluster.spares", "cluster.copies", "cluster.wait_for_node"];

    /// <summary>Submits and follows; Ctrl-C ends the looking on, not the run.</summary>
    public static Task<int> Run(CommandContext context, CancellationToken stop) => Run(context, ClusterAccess.Connect, stop);

    /// <summary>The same with a way to reach a cluster.</summary>
    internal static async Task<int> Run(CommandContext context, Func<CommandContext, ICluster> connect, CancellationToken stop)
    {
        var run = context.Run;
        foreach (var value in context.Configuration!.Values.Where(value => OfCoordinator.Contains(value.Key.Name) && value.Origin == "command line"))
        {
            throw new RefusedException(
                $"{value.Key.Name}={value.Typed}: placement is decided with the settings of the coordinator's node; give it to `actortrainer node role=coordinator …`. "
                + "For a run alone, pipeline.cut sets the stages.");
        }

        using var folder = RunFolder.Open(run.RunFolder);
        if (File.Exists(folder.Journal))
        {
            throw new RefusedException(
                $"{folder.Root} holds a run that was trained without a cluster ({Path.GetFileName(folder.Journal)}). Take another name=…, or continue it without cluster=….");
        }

        await using var cluster = connect(context);
        await cluster.Submit(run.Name, RunSettings.Write(context.Configuration, Environment.CurrentDirectory), stop).ConfigureAwait(false);
        context.Out.WriteLine($"{run.Name}: the cluster has the run; Ctrl-C ends only the looking on.");

        var reporting = new RunReporting(context, folder.Root, bubble: null, followed: true);
        RunProtocol.Outcome outcome;
        try
        {
            outcome = await cluster.Follow(run.Name, reporting.Observer, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            reporting.Dispose();
            context.Out.WriteLine($"{run.Name}: no longer looking on; the run goes on. The same command looks on again, `{StopLine(context)}` ends it.");
            return App.Failed;
        }
        finally
        {
            reporting.Dispose();
        }

        return reporting.Finish(outcome);
    }

    /// <summary>The command that ends the run, with the words that name the cluster.</summary>
    private static string StopLine(CommandContext context) => string.Join(' ',
    [
        "actortrainer", "stop", $"name={context.Run.Name}",
        .. context.Option("--config-dir") is { } folder ? ["--config-dir", folder] : Array.Empty<string>(),
        .. context.Words.Where(word => word.StartsWith("cluster", StringComparison.Ordinal) && !word.StartsWith("cluster.journal_connection", StringComparison.Ordinal)),
    ]);
}
