using ActorTrainer.Host.Cli;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster.Local;

/// <summary><c>cluster up</c>: a cluster of processes on this machine, for trying out.</summary>
internal static class ClusterUpCommand
{
    /// <summary>Settings that differ from node to node.</summary>
    private static readonly string[] PerNode = ["cluster.node", "cluster.address", "cluster.port", "cluster.data_port", "cluster.folder", "cluster.seeds"];

    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);

    /// <summary>Name, words and help.</summary>
    public static CommandDescription Description { get; } = new()
    {
        Name = "cluster",
        Summary = "start a cluster of processes on this machine, for trying out",
        Paragraphs =
        [
            """
            Starts one coordinator node and some stage nodes as processes of this machine, starts those again
            that end, and shows what becomes of them. Ctrl-C ends them all. Each node's output is in
            FOLDER/NODE/node.log.
            """,
            """
            A run is submitted from another terminal: actortrainer pretrain cluster=local … . Settings of the
            section cluster are passed on to every node.
            """,
        ],
        Arguments = [new("up", "what to do")],
        Options =
        [
            new("nodes", "stage nodes; 3 when left out", "N"),
            new("spares", "more stage nodes that stand in for lost ones; 0 when left out", "N"),
            new("coordinators", "nodes that can coordinate, sharing a journal; 1 when left out", "N"),
            new("port", $"first port, data planes begin 100 above; {ClusterLayout.UsualPort} when left out", "PORT"),
            new("folder", "folder of the nodes; cluster when left out", "DIR"),
        ],
        Examples =
        [
            new("cluster up", "a coordinator and three stage nodes"),
            new("cluster up nodes=2 spares=1 coordinators=2", "two stages, one stand-in, two candidates to coordinate"),
        ],
        Accepts = ["cluster"],
        Done = "stopped by Ctrl-C",
    };

    /// <summary>Runs until Ctrl-C.</summary>
    public static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        if (context.Arguments[0] != "up")
        {
            throw new RefusedException($"cluster has one thing to do, 'up', not '{context.Arguments[0]}': actortrainer cluster up nodes=3.");
        }

        var layout = Layout(context);
        var gate = new Lock();
        void Print(string line)
        {
            lock (gate)
            {
                context.Out.WriteLine(line);
            }
        }

        var cluster = new LocalCluster(layout.Folder, layout.Specs(ProgramCommand.Current()), TimeProvider.System, onEvent: e => Print(e.ToString()));
        await using (cluster.ConfigureAwait(false))
        {
            cluster.Start();
            Print(Welcome(layout));
            await Task.Delay(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await cluster.Stop(StopPatience).ConfigureAwait(false);
        }

        Print("All nodes have ended.");
        return App.Done;
    }

    /// <summary>The cluster that the words ask for.</summary>
    /// <exception cref="RefusedException">A number is out of range, or a setting would be the same on all nodes that must differ.</exception>
    public static ClusterLayout Layout(CommandContext context)
    {
        var settings = context.Words.Where(word => word.StartsWith("cluster.", StringComparison.Ordinal) || word.StartsWith("cluster=", StringComparison.Ordinal)).ToList();
        if (settings.FirstOrDefault(word => PerNode.Contains(word[..word.IndexOf('=')])) is { } wrong)
        {
            throw new RefusedException($"{wrong}: differs from node to node, so 'cluster up' chooses it. Its own words are nodes, spares, coordinators, port, folder.");
        }

        return new ClusterLayout
        {
            Stages = NumberOption.Read(context, "nodes", 3, 1, 50),
            Spares = NumberOption.Read(context, "spares", 0, 0, 20),
            Coordinators = NumberOption.Read(context, "coordinators", 1, 1, 5),
            Port = NumberOption.Read(context, "port", ClusterLayout.UsualPort, 1024, 65000),
            Folder = context.Option("folder") ?? "cluster",
            Settings = settings,
        };
    }

    /// <summary>Addresses, and what to type next.</summary>
    public static string Welcome(ClusterLayout layout)
    {
        var how = layout.Port == ClusterLayout.UsualPort ? "cluster=local" : $"'{layout.SeedsSetting}'";
        var lines = layout.CoordinatorNames.Select(name => (name, "coordinator"))
            .Concat(layout.StageNames.Select((name, i) => (name, i < layout.Stages ? "stage" : "spare stage")))
            .Select(node => $"  {node.name,-4} {layout.Seeds[ClusterLayout.IndexOf(node.name)],-16} {node.Item2}");
        return $"""
             {string.Join('\n', lines)}
             Submit:  actortrainer pretrain {how} name=try arch=tiny train=dev data=sample impl=dev
             Look:    actortrainer status {how}
             Stop:    Ctrl-C (output of the nodes: {Path.Combine(layout.Folder, "NODE", NodeLog.Name)})
             """.ReplaceLineEndings("\n");
    }
}
