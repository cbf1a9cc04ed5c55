using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Cluster.Local;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Chaos;

/// <summary><c>chaos</c>: faults against a local cluster, and what the run has survived.</summary>
internal static class ChaosCommand
{
    private const string RunName = "chaos";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Name, words and help.</summary>
    public static CommandDescription Description { get; } = new()
    {
        Name = "chaos",
        Summary = "kill, pause and cut nodes of a local cluster while it trains, and check that nothing changes",
        Paragraphs =
        [
            """
            Trains once undisturbed and once under a seeded plan of faults: nodes and coordinators are killed
            (two at once, also during a checkpoint), paused, slowed down, taken away and brought back; links are
            cut and nodes cut off, in network namespaces where the machine allows it (Linux, root), by pauses
            elsewhere. At the end stands a table of what the run has survived, also in chaos.json and chaos.md.
            """,
            """
            mode=recovery times recoveries instead: kills after which the node is started again, and nodes that
            do not come back, with a spare to stand in.
            """,
        ],
        Options =
        [
            new("nodes", "stage nodes; 3 when left out", "N"),
            new("spares", "more stage nodes that stand in; 0 when left out, 1 with mode=recovery", "N"),
            new("coordinators", "nodes that can coordinate; 1 when left out", "N"),
            new("faults", "faults of the plan; 20 when left out", "N"),
            new("steps", "steps of the run; 200 when left out", "N"),
            new("mode", "survival or recovery; survival when left out", "MODE"),
            new("kills", "kills to time with mode=recovery; 15 when left out", "N"),
            new("reference", "folder of an earlier undisturbed cluster to compare with, instead of a run now", "DIR"),
            new("folder", "folder of the clusters; chaos when left out", "DIR"),
            new("port", "first port of the nodes; 4300 when left out", "PORT"),
            new("network", "namespaces, loopback or auto; auto when left out", "KIND"),
        ],
        Examples =
        [
            new("chaos", "20 faults in 200 steps of a small model on sample text"),
            new("chaos faults=40 steps=400 seed=7 data.path=text coordinators=2", "more of it, on your text, with two candidates to coordinate"),
            new("chaos mode=recovery kills=15", "how long recoveries take"),
        ],
        Defaults = ["arch=dev", "train=dev", "train.batch_size=64", "data=sample", "impl=dev", "train.checkpoint_every=1", "train.evaluate_every=0", "data.sample_megabytes=1"],
        Keys = ["seed", "data.path", "arch.layers", "train.batch_size", "train.checkpoint_every", "cluster.lease", "cluster.link_patience"],
        Done = "the run has survived with the same bits",
        Failed = "it has not, or a failure",
    };

    /// <summary>Runs the command.</summary>
    public static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var recovery = (context.Option("mode") ?? "survival") switch
        {
            "survival" => false,
            "recovery" => true,
            var other => throw new RefusedException($"mode={other}: expected survival or recovery."),
        };
        var folder = Path.GetFullPath(context.Option("folder") ?? "chaos");
        var layout = new ClusterLayout
        {
            Stages = NumberOption.Read(context, "nodes", 3, 2, 20),
            Spares = NumberOption.Read(context, "spares", recovery ? 1 : 0, 0, 10),
            Coordinators = NumberOption.Read(context, "coordinators", 1, 1, 5),
            Port = NumberOption.Read(context, "port", 4300, 1024, 65000),
            Settings = [.. context.Words.Where(word => word.StartsWith("cluster.", StringComparison.Ordinal))],
        };
        using var network = Network(context, layout.Count, out var networkText);
        if (network is not null)
        {
            layout = layout with { Address = network.Plan.Address, Networked = true };
        }

        var lines = new Lines(context.Out);
        lines.Say($"network: {networkText}");
        return recovery
            ? await Recovery(context, layout with { Folder = ChaosFolder.Fresh(Path.Combine(folder, "recovery")) }, network, lines, stop).ConfigureAwait(false)
            : await Survival(context, layout, folder, network, networkText, lines, stop).ConfigureAwait(false);
    }

    private static async Task<int> Survival(
        CommandContext context, ClusterLayout layout, string folder, NetworkNamespaces? network, string networkText, Lines lines, CancellationToken stop)
    {
        var faults = NumberOption.Read(context, "faults", 20, 0, 10_000);
        var steps = NumberOption.Read(context, "steps", 200, 1, 1_000_000);
        var plan = FaultPlan.Draw(context.Run.Seed, faults, steps, layout.CoordinatorNames, layout.StageNames);
        var settings = ChaosSettings.Of(context.Configuration!, RunName, steps);
        var clock = new RunClock(TimeProvider.System);

        var reference = context.Option("reference");
        double? undisturbedSeconds = null;
        if (reference is null)
        {
            reference = ChaosFolder.Fresh(Path.Combine(folder, "undisturbed"));
            lines.Say($"undisturbed run of {steps} steps");
            var began = clock.Seconds;
            var session = await ChaosSession.Start(layout with { Folder = reference }, network, TimeProvider.System, lines.Log, stop).ConfigureAwait(false);
            await using (session.ConfigureAwait(false))
            {
                var outcome = await session.Run(RunName, settings, new RecoveryWatch(clock, lines.Log), stop).ConfigureAwait(false);
                await session.Stop().ConfigureAwait(false);
                if (outcome.Kind != OutcomeKind.Completed)
                {
                    throw new InvalidOperationException($"the undisturbed run has not completed: {outcome.Message}");
                }
            }

            undisturbedSeconds = clock.Seconds - began;
            lines.Say($"undisturbed run completed in {undisturbedSeconds:0.0} s");
        }

        layout = layout with { Folder = ChaosFolder.Fresh(Path.Combine(folder, "disturbed")) };
        var from = clock.Seconds;
        IReadOnlyList<Survival> done;
        RunProtocol.Outcome ended;
        IReadOnlyList<int> running;
        var disturbed = await ChaosSession.Start(layout, network, TimeProvider.System, lines.Say, stop).ConfigureAwait(false);
        await using (disturbed.ConfigureAwait(false))
        {
            var driver = new ChaosDriver(disturbed.Target, clock, TimeProvider.System, Patience, lines.Say);
            using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var run = driver.Follow(disturbed.Run(RunName, settings, driver.Watch, giveUp.Token));
            done = await driver.Drive(plan, stop).ConfigureAwait(false);
            if (done.Any(fault => fault.RecoveredSeconds is null))
            {
                await giveUp.CancelAsync().ConfigureAwait(false);
            }

            ended = await Outcome(run, driver.Watch, stop).ConfigureAwait(false);
            await disturbed.Settle(stop).ConfigureAwait(false);
            await disturbed.Stop().ConfigureAwait(false);
            running = [.. disturbed.StillRunning.Select(process => process.Id)];
        }

        var (checks, table) = ChaosVerdict.Of(ended, steps, reference, layout.Folder, RunName, faults, done, running);
        var report = new SurvivalReport
        {
            Seed = context.Run.Seed,
            Steps = steps,
            Network = networkText,
            Faults = table,
            Checks = checks,
            UndisturbedSeconds = undisturbedSeconds,
            DisturbedSeconds = clock.Seconds - from,
        };
        report.Save(folder);
        lines.Say("");
        context.Out.Write(report.ToText());
        context.Out.WriteLine($"Table and numbers: {Path.Combine(folder, "chaos.md")}, chaos.json");
        return report.Survived ? App.Done : App.Failed;
    }

    private static async Task<int> Recovery(CommandContext context, ClusterLayout layout, NetworkNamespaces? network, Lines lines, CancellationToken stop)
    {
        var kills = NumberOption.Read(context, "kills", 15, 1, 1000);
        var absences = layout.Spares > 0 ? Math.Max(3, kills / 3) : 0;
        var clock = new RunClock(TimeProvider.System);
        IReadOnlyList<Survival> done;
        var session = await ChaosSession.Start(layout, network, TimeProvider.System, lines.Log, stop).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            var driver = new ChaosDriver(session.Target, clock, TimeProvider.System, Patience, lines.Say);
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var run = driver.Follow(session.Run(RunName, ChaosSettings.Of(context.Configuration!, RunName, 1_000_000), driver.Watch, enough.Token));
            done = await new RecoveryBench(driver, layout.StageNames, context.Run.Seed).Measure(kills, absences, stop).ConfigureAwait(false);
            await enough.CancelAsync().ConfigureAwait(false);
            await ((Task)run).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await session.Stop().ConfigureAwait(false);
        }

        var table = RecoveryBench.Table(done);
        AtomicFile.WriteText(Path.Combine(layout.Folder, "recovery.md"), table);
        context.Out.Write("\n" + table);
        return done.Count == kills + absences && done.All(fault => fault.RecoveredSeconds is not null) ? App.Done : App.Failed;
    }

    /// <summary>How the run ended; one that was given up ended there.</summary>
    private static async Task<RunProtocol.Outcome> Outcome(Task<RunProtocol.Outcome> run, RecoveryWatch watch, CancellationToken stop)
    {
        try
        {
            return await run.WaitAsync(Patience, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException || (e is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return new RunProtocol.Outcome(OutcomeKind.Failed, watch.Committed, "it did not go on", "");
        }
    }

    private static NetworkNamespaces? Network(CommandContext context, int nodes, out string text)
    {
        var wanted = context.Option("network") ?? "auto";
        if (wanted is not ("auto" or "namespaces" or "loopback"))
        {
            throw new RefusedException($"network={wanted}: expected namespaces, loopback or auto.");
        }

        if (wanted == "loopback")
        {
            text = "loopback, links are cut by pausing a node";
            return null;
        }

        var network = NetworkNamespaces.TryCreate(nodes, out var reason);
        if (network is null && wanted == "namespaces")
        {
            throw new RefusedException($"network=namespaces: {reason}. Use network=auto to pause nodes instead of cutting links.");
        }

        text = network is null ? $"loopback, links are cut by pausing a node ({reason})" : $"namespaces on {network.Plan.Prefix}.0/24, links are cut silently";
        return network;
    }

    /// <summary>Lines from several threads.</summary>
    private sealed class Lines(TextWriter output)
    {
        private readonly Lock _gate = new();

        public void Say(string text)
        {
            lock (_gate)
            {
                output.WriteLine(text);
                output.Flush();
            }
        }

        /// <summary>Of the undisturbed run only what goes wrong is worth a line.</summary>
        public void Log(string text)
        {
            if (text.Contains("ended", StringComparison.Ordinal) || text.Contains("cannot", StringComparison.Ordinal))
            {
                Say(text);
            }
        }
    }
}
