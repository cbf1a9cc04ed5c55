using ActorTrainer.Host.Cli;

namespace ActorTrainer.Host.Cluster;

/// <summary><c>status cluster=…</c>: nodes, run, last commit, what waits for what.</summary>
internal static class StatusCommand
{
    /// <summary>Asks once and prints the answer.</summary>
    public static Task<int> Run(CommandContext context, CancellationToken cancellation) => Run(context, ClusterAccess.Connect, cancellation);

    /// <summary>The same with a way to reach a cluster.</summary>
    internal static async Task<int> Run(CommandContext context, Func<CommandContext, ICluster> connect, CancellationToken cancellation)
    {
        ClusterAccess.RequireSeeds(context);
        await using var cluster = connect(context);
        var status = await cluster.Status(cancellation).ConfigureAwait(false);
        if (context.Console.Profile.Out.IsTerminal)
        {
            StatusView.Draw(context.Console, status);
        }
        else
        {
            StatusView.Print(context.Out, status);
        }

        return App.Done;
    }
}
