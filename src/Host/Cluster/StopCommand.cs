using ActorTrainer.Host.Cli;

namespace ActorTrainer.Host.Cluster;

/// <summary><c>stop name=… cluster=…</c>: a run finishes its step, commits and ends.</summary>
internal static class StopCommand
{
    /// <summary>Asks, and says that it was asked.</summary>
    public static Task<int> Run(CommandContext context, CancellationToken cancellation) => Run(context, ClusterAccess.Connect, cancellation);

    /// <summary>The same with a way to reach a cluster.</summary>
    internal static async Task<int> Run(CommandContext context, Func<CommandContext, ICluster> connect, CancellationToken cancellation)
    {
        ClusterAccess.RequireSeeds(context);
        var name = context.Run.Name;
        await using var cluster = connect(context);
        await cluster.Stop(name, cancellation).ConfigureAwait(false);
        context.Out.WriteLine($"{name}: asked to stop. It finishes its step and commits; submitting it again goes on from there.");
        return App.Done;
    }
}
